// Package jwtsvid is go-spiffe's: this file is added to a copy of it when the client is built, and its one call of time.Now
// becomes one of clock, so that tokens can be judged at the moment that a vector names.
package jwtsvid

import (
	"os"
	"strconv"
	"time"
)

func clock() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SVID_CLOCK"), 10, 64); err == nil {
		return time.Unix(seconds, 0)
	}
	return time.Now()
}
