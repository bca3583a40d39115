package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

const (
	pace     = 50 * time.Millisecond
	exchange = 5 * time.Second
)

// tally counts what went well, what did not, and whom we met.
type tally struct {
	sync.Mutex
	requests, failures int
	serials, issuers   map[string]bool
}

func newTally() *tally {
	return &tally{serials: map[string]bool{}, issuers: map[string]bool{}}
}

func (t *tally) count(state tls.ConnectionState, err error) {
	t.Lock()
	defer t.Unlock()
	t.requests++
	if err != nil {
		t.failures++
		_ = show(object{"failure": err.Error()})
		return
	}
	peer := state.PeerCertificates[0]
	t.serials[peer.SerialNumber.String()] = true
	t.issuers[hex.EncodeToString(peer.AuthorityKeyId)] = true
}

func (t *tally) finish() error {
	t.Lock()
	defer t.Unlock()
	err := show(object{
		"requests": t.requests, "failures": t.failures,
		"serials": len(t.serials), "issuers": len(t.issuers),
	})
	if err == nil && t.failures > 0 {
		err = fmt.Errorf("%d of %d requests failed", t.failures, t.requests)
	}
	return err
}

func source(peer string) (*workloadapi.X509Source, tlsconfig.Authorizer, error) {
	id, err := spiffeid.FromString(peer)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	live, err := workloadapi.NewX509Source(ctx)
	return live, tlsconfig.AuthorizeID(id), err
}

// serve answers each line with the same line, until standard input ends.
func serve(port, peer string) error {
	live, authorize, err := source(peer)
	if err != nil {
		return err
	}
	defer live.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:"+port, tlsconfig.MTLSServerConfig(live, live, authorize))
	if err != nil {
		return err
	}
	if err := show(object{"listening": listener.Addr().(*net.TCPAddr).Port}); err != nil {
		return err
	}
	totals := newTally()
	var open sync.WaitGroup
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			go func() {
				defer open.Done()
				defer conn.Close()
				tlsConn := conn.(*tls.Conn)
				err := answer(tlsConn)
				totals.count(tlsConn.ConnectionState(), err)
			}()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	listener.Close()
	open.Wait()
	return totals.finish()
}

func answer(conn *tls.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(exchange))
	if err := conn.Handshake(); err != nil {
		return fmt.Errorf("handshake with %s: %w", conn.RemoteAddr(), err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	_, err = io.WriteString(conn, line)
	return err
}

// dial opens a fresh connection each time, so that each handshake shows the SVID and bundle of the moment.
func dial(port, peer string, limit time.Duration) error {
	live, authorize, err := source(peer)
	if err != nil {
		return err
	}
	defer live.Close()
	config := tlsconfig.MTLSClientConfig(live, live, authorize)
	totals := newTally()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for end := time.Now().Add(limit); time.Now().Before(end); <-ticker.C {
		state, err := request("127.0.0.1:"+port, config)
		totals.count(state, err)
	}
	return totals.finish()
}

func request(address string, config *tls.Config) (tls.ConnectionState, error) {
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: exchange}, Config: config}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return tls.ConnectionState{}, fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(exchange))
	state := conn.(*tls.Conn).ConnectionState()
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return state, fmt.Errorf("write: %w", err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && line != "hello\n" {
		err = fmt.Errorf("the answer was %q", line)
	}
	return state, err
}
