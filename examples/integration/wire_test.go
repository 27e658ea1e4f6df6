package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// wireRequest is a recorded request to DynamoDB.
type wireRequest struct {
	op         string
	Consistent bool   `json:"ConsistentRead"`
	Condition  string `json:"ConditionExpression"`
}

// String returns the operation of the request. It names consistent reads and conditional writes.
func (r wireRequest) String() string {
	switch {
	case r.op == "GetItem" && r.Consistent:
		return "consistent read"
	case r.op == "PutItem" && r.Condition != "":
		return "conditional write"
	}
	return r.op
}

// tap records the requests of a client.
type tap struct {
	dynamodb.HTTPClient
	mu       sync.Mutex
	requests []string
}

func (w *tap) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var q wireRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	_, q.op, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.requests = append(w.requests, q.String())
	w.mu.Unlock()
	return w.HTTPClient.Do(r)
}

// takeRequests returns the requests since the last call.
func (w *tap) takeRequests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	requests := w.requests
	w.requests = nil
	return requests
}

// countWrites returns the number of writes among the requests.
func countWrites(requests []string) (n int) {
	for _, w := range requests {
		if w != "consistent read" && w != "Query" {
			n++
		}
	}
	return n
}

// wireTracker is a tracker on a separate table whose requests are recorded.
type wireTracker struct {
	*tracking.Tracker
	name  string // of the table
	tap   *tap
	table *table.Table
	user  scope.Scope
}

func newWireTracker(t testing.TB, o *tracking.Options) *wireTracker {
	t.Helper()
	if servers.DynamoDB == nil {
		t.Skip(servers.NotRun())
	}
	name, remove, err := servers.NewTable(context.Background(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remove(context.Background())) })
	options := servers.DynamoDB.Options()
	tr := &wireTracker{name: name, tap: &tap{HTTPClient: options.HTTPClient}}
	options.HTTPClient = tr.tap
	d, err := dynamo.New(dynamodb.New(options), name, nil)
	require.NoError(t, err)
	tr.table = must.Get(table.New(d, nil))
	tr.Tracker, err = tracking.New(tr.table, tracking.Uploads(), o)
	require.NoError(t, err)
	tr.user = userOf(t, "acme", "u1")
	return tr
}

func userOf(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	require.NoError(t, err)
	s, err = s.User(user)
	require.NoError(t, err)
	return s
}

// newSession creates a session with its record.
func (tr *wireTracker) newSession(t testing.TB) scope.Scope {
	t.Helper()
	s, err := tr.user.NewSession()
	require.NoError(t, err)
	_, err = tr.Create(t.Context(), s, &tracking.CreateOptions{Filename: "cover.jpg"})
	require.NoError(t, err)
	return s
}

func newArrival(t testing.TB, s scope.Scope) tracking.Observation {
	t.Helper()
	root, err := must.Get(object.New(object.NewMemory(), "landing", nil)).In(s)
	require.NoError(t, err)
	ref, err := root.Ref("cover.jpg")
	require.NoError(t, err)
	return tracking.Observation{Stage: tracking.UserUpload, Dest: ref}
}
