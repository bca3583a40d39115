// A SPIFFE client on go-spiffe; the modes are told in ../README.md.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

const usage = "usage: client fetch AUDIENCE | validate TOKEN AUDIENCE | watch N SECONDS | serve PORT ID | dial PORT ID SECONDS | vectors"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	mode := ""
	if len(args) > 0 {
		mode = args[0]
	}
	switch {
	case mode == "fetch" && len(args) == 2:
		return fetch(args[1])
	case mode == "validate" && len(args) == 3:
		return validate(args[1], args[2])
	case mode == "watch" && len(args) == 3:
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		limit, err := seconds(args[2])
		if err != nil {
			return err
		}
		return watch(n, limit)
	case mode == "vectors" && len(args) == 1:
		return vectors()
	case mode == "serve" && len(args) == 3:
		return serve(args[1], args[2])
	case mode == "dial" && len(args) == 4:
		limit, err := seconds(args[3])
		if err != nil {
			return err
		}
		return dial(args[1], args[2], limit)
	}
	return errors.New(usage)
}

func seconds(text string) (time.Duration, error) {
	n, err := strconv.Atoi(text)
	return time.Duration(n) * time.Second, err
}

type object map[string]any

func show(line object) error {
	return json.NewEncoder(os.Stdout).Encode(line)
}
