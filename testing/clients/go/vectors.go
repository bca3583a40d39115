package main

import (
	"bufio"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// A line of the work list: the input of a vector, see testing/vectors/README.md.
type vector struct {
	Name     string
	Kind     string
	Chain    [][]byte
	Token    string
	Audience []string
	Now      int64
	Bundles  map[string]struct {
		X509 [][]byte
		JWT  []struct {
			Kid  string
			SPKI []byte
		}
	}
}

// Judges each vector that standard input lists, one a line.
func vectors() error {
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 {
			var v vector
			if err := json.Unmarshal(line, &v); err != nil {
				return err
			}
			id, err := v.judge()
			answer := object{"name": v.Name, "accepted": err == nil}
			if err == nil {
				answer["id"] = id.String()
			} else {
				answer["why"] = err.Error()
			}
			if err := show(answer); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (v vector) judge() (spiffeid.ID, error) {
	switch v.Kind {
	case "x509-svid":
		bundles, err := v.x509Bundles()
		if err != nil {
			return spiffeid.ID{}, err
		}
		id, _, err := x509svid.ParseAndVerify(v.Chain, bundles, x509svid.WithTime(time.Unix(v.Now, 0)))
		return id, err
	case "jwt-svid":
		bundles, err := v.jwtBundles()
		if err != nil {
			return spiffeid.ID{}, err
		}
		// Read by overlay/clock.go, since the library has no other way to be told the time.
		if err := os.Setenv("SVID_CLOCK", strconv.FormatInt(v.Now, 10)); err != nil {
			return spiffeid.ID{}, err
		}
		svid, err := jwtsvid.ParseAndValidate(v.Token, bundles, v.Audience)
		if err != nil {
			return spiffeid.ID{}, err
		}
		return svid.ID, nil
	}
	return spiffeid.ID{}, fmt.Errorf("no kind %q", v.Kind)
}

// An authority that cannot be read is one that is not there.
func (v vector) x509Bundles() (*x509bundle.Set, error) {
	set := x509bundle.NewSet()
	for name, authorities := range v.Bundles {
		domain, err := spiffeid.TrustDomainFromString(name)
		if err != nil {
			return nil, err
		}
		bundle := x509bundle.New(domain)
		for _, der := range authorities.X509 {
			if certificate, err := x509.ParseCertificate(der); err == nil {
				bundle.AddX509Authority(certificate)
			}
		}
		set.Add(bundle)
	}
	return set, nil
}

func (v vector) jwtBundles() (*jwtbundle.Set, error) {
	set := jwtbundle.NewSet()
	for name, authorities := range v.Bundles {
		domain, err := spiffeid.TrustDomainFromString(name)
		if err != nil {
			return nil, err
		}
		keys := make(map[string]crypto.PublicKey)
		for _, key := range authorities.JWT {
			if public, err := x509.ParsePKIXPublicKey(key.SPKI); err == nil {
				keys[key.Kid] = public
			}
		}
		set.Add(jwtbundle.FromJWTAuthorities(domain, keys))
	}
	return set, nil
}
