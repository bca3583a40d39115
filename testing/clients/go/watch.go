package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

const pause = 100 * time.Millisecond

// follower reports each new X.509-SVID of one stream, and keeps what went wrong with the stream.
type follower struct {
	serial string
	seen   int
	wanted int
	done   chan error
}

func (f *follower) OnX509ContextUpdate(x509 *workloadapi.X509Context) {
	svid := x509.DefaultSVID()
	serial := svid.Certificates[0].SerialNumber.String()
	if serial == f.serial || f.seen > f.wanted {
		return
	}
	f.serial = serial
	authorities := 0
	if bundle, ok := x509.Bundles.Get(svid.ID.TrustDomain()); ok {
		authorities = len(bundle.X509Authorities())
	}
	_ = show(object{
		"update":      f.seen,
		"id":          svid.ID.String(),
		"serial":      serial,
		"not_after":   svid.Certificates[0].NotAfter.Unix(),
		"authorities": authorities,
	})
	f.seen++
	if f.seen > f.wanted {
		f.done <- nil
	}
}

func (f *follower) OnX509ContextWatchError(err error) {
	select {
	case f.done <- fmt.Errorf("the stream broke: %w", err):
	default:
	}
}

// watch follows one stream through n rotations and meanwhile asks for SVIDs as a busy workload would.
func watch(n int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	client, err := workloadapi.New(ctx)
	if err != nil {
		return err
	}
	defer client.Close()

	stream := &follower{wanted: n, done: make(chan error, 2)}
	go func() { _ = client.WatchX509Context(ctx, stream) }()

	requests, failures := 0, 0
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case err := <-stream.done:
			if err != nil {
				return err
			}
			if err := show(object{"updates": n, "requests": requests, "failures": failures}); err != nil {
				return err
			}
			if failures > 0 {
				return fmt.Errorf("%d of %d requests failed", failures, requests)
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("no %d rotations within %s", n, limit)
		case <-ticker.C:
			requests++
			if err := ask(ctx, client); err != nil && ctx.Err() == nil {
				failures++
				_ = show(object{"failure": err.Error()})
			}
		}
	}
}

func ask(ctx context.Context, client *workloadapi.Client) error {
	if _, err := client.FetchX509SVID(ctx); err != nil {
		return err
	}
	_, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "watch"})
	return err
}
