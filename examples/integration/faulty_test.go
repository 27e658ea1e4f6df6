package integration_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// faultyTransport is the connection of a process to a store. At random it delays requests, and loses requests and
// responses.
type faultyTransport struct {
	aws.HTTPClient

	mu       sync.Mutex
	rnd      *rand.Rand
	loss     int // one of so many requests fails, or 0
	slow     int // one of so many requests takes up to 400 ms longer, or 0
	requests int // so far
	killAt   int // the request at which the process is killed, or 0
}

func newFaultyTransport(c aws.HTTPClient, seed uint64) *faultyTransport {
	return &faultyTransport{HTTPClient: c, rnd: rand.New(rand.NewPCG(seed, 1))}
}

var (
	errRequestLost  = errors.New("the request is lost")
	errResponseLost = errors.New("the response is lost")
)

// fate is what happens to a request.
type fate struct {
	delay  time.Duration
	kills  bool // the process, before the response is read
	isSent bool
	err    error // for its sender
}

// decideFate returns what happens to the next request.
func (f *faultyTransport) decideFate() (d fate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if f.slow > 0 && f.rnd.IntN(f.slow) == 0 {
		d.delay = time.Duration(f.rnd.IntN(400)) * time.Millisecond
	}
	d.isSent, d.kills = true, f.requests == f.killAt
	switch {
	case d.kills:
		d.isSent, d.err = f.rnd.IntN(2) == 0, errRequestLost
	case f.loss == 0 || f.rnd.IntN(f.loss) > 0:
	case f.rnd.IntN(3) == 0:
		d.isSent, d.err = false, errRequestLost
	default:
		d.err = errResponseLost
	}
	return d
}

func (f *faultyTransport) Do(r *http.Request) (*http.Response, error) {
	d := f.decideFate()
	select {
	case <-time.After(d.delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	var res *http.Response
	var err error
	if d.isSent {
		res, err = f.HTTPClient.Do(r)
	}
	if d.kills {
		killItself()
	}
	if err != nil || d.err == nil {
		return res, err
	}
	if res != nil {
		err = res.Body.Close()
	}
	return nil, errors.Join(d.err, err)
}

// killItself ends this process as a SIGKILL from outside does.
func killItself() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

// killAfter kills the process at the n-th request from now.
func (f *faultyTransport) killAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.killAt = f.requests + n
}

// openTable opens a table over the transport. If retries is false, the client of the SDK does not repeat requests.
func (f *faultyTransport) openTable(t testing.TB, name string, retries bool) *table.Table {
	t.Helper()
	tb, err := f.openTableOf(servers.DynamoDB.Options(), name, retries)
	require.NoError(t, err)
	return tb
}

// openTableOf opens a table over the transport with the options of a client.
func (f *faultyTransport) openTableOf(o dynamodb.Options, name string, retries bool) (*table.Table, error) {
	o.HTTPClient = f
	if !retries {
		o.Retryer = aws.NopRetryer{}
	}
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	if err != nil {
		return nil, err
	}
	return table.New(d, nil)
}
