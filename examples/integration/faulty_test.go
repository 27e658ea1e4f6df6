package integration_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// faultyTransport is the connection of a process to DynamoDB. It loses requests and responses at random, and refuses
// everything after the process was killed.
type faultyTransport struct {
	dynamodb.HTTPClient
	killed context.Context // ends when the process is killed
	kill   context.CancelFunc

	mu       sync.Mutex
	rnd      *rand.Rand
	requests int // so far
	killAt   int // the request at which the process is killed, or 0
	loss     int // one of so many requests fails, or 0
}

func newFaultyTransport(seed uint64) *faultyTransport {
	f := &faultyTransport{HTTPClient: servers.DynamoDB.Options().HTTPClient, rnd: rand.New(rand.NewPCG(seed, 1))}
	f.killed, f.kill = context.WithCancel(context.Background())
	return f
}

var (
	errProcessKilled = errors.New("the process is dead")
	errRequestLost   = errors.New("the request is lost")
	errResponseLost  = errors.New("the response is lost")
)

// decideFault reports whether the next request is sent, and the error that its sender gets.
func (f *faultyTransport) decideFault() (isSent bool, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	switch {
	case f.killed.Err() != nil:
		return false, errProcessKilled
	case f.requests == f.killAt: // after the request was sent, or before
		f.kill()
		return f.rnd.IntN(2) == 0, errProcessKilled
	case f.loss == 0 || f.rnd.IntN(f.loss) > 0:
		return true, nil
	case f.rnd.IntN(3) == 0:
		return false, errRequestLost
	}
	return true, errResponseLost
}

func (f *faultyTransport) Do(r *http.Request) (*http.Response, error) {
	isSent, fault := f.decideFault()
	if !isSent {
		return nil, fault
	}
	res, err := f.HTTPClient.Do(r)
	if err == nil && fault != nil {
		return nil, errors.Join(fault, res.Body.Close())
	}
	return res, err
}

// openTable opens a table over the transport. If retries is false, the client of the SDK does not repeat requests.
func (f *faultyTransport) openTable(t testing.TB, name string, retries bool) *table.Table {
	t.Helper()
	o := servers.DynamoDB.Options()
	o.HTTPClient = f
	if !retries {
		o.Retryer = aws.NopRetryer{}
	}
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	require.NoError(t, err)
	return must.Get(table.New(d, nil))
}
