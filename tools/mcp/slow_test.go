package mcp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/mcp"
)

// newSlowServer serves set to one user, who may have one request in flight, and waits for a slow client for d.
func newSlowServer(t *testing.T, set tools.Set, d time.Duration) *httptest.Server {
	t.Helper()
	h := must.Get(mcp.Serve(set, &mcp.ServeOptions{UserCalls: 1, Timeout: 50 * time.Millisecond, MaxResult: 64 << 20}))
	mcp.SetPatience(h, d)
	caller := userScope(t, "acme", "u1")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/anonymous" {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r.WithContext(scope.NewContext(r.Context(), caller)))
	}))
	t.Cleanup(srv.Close)
	return srv
}

// dial sends the beginning of a request with a body of that size.
func dial(t *testing.T, srv *httptest.Server, path string, size int, begin string) net.Conn {
	t.Helper()
	conn := must.Get((&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String()))
	t.Cleanup(func() { _ = conn.Close() })
	_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Accept: application/json, text/event-stream\r\nMcp-Protocol-Version: 2025-06-18\r\nContent-Length: %d\r\n\r\n%s", path, size, begin)
	require.NoError(t, err)
	return conn
}

const callWhoami = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}`

// isAnswered reports whether a call on a connection is answered with 200. The connection may serve others afterwards. A
// server that is slow itself runs out of patience too, and then closes it.
func isAnswered(t *testing.T, conn net.Conn) bool {
	t.Helper()
	r := must.Get(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", strings.NewReader(callWhoami)))
	setHeaders(r, "2025-06-18")
	if r.Write(conn) != nil {
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// A client that sends its request slowly is dropped, and does not keep its place.
func TestSlowBodiesEnd(t *testing.T) {
	t.Parallel()
	const patience = 500 * time.Millisecond
	srv := newSlowServer(t, tools.Of(newTool(t, "whoami", whoami)), patience)
	for path, status := range map[string]string{"/": "400 Bad Request", "/anonymous": "401 Unauthorized"} {
		answer := must.Get(io.ReadAll(dial(t, srv, path, 1000, `{"jsonrpc":`)))
		require.Contains(t, string(answer), status)
	}

	again := func() bool {
		conn := must.Get((&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String()))
		defer conn.Close()
		if !isAnswered(t, conn) {
			return false
		}
		time.Sleep(2 * patience)
		return isAnswered(t, conn)
	}
	tries := 1
	for ; !again() && tries < 50; tries++ {
	}
	require.Less(t, tries, 50, "the deadlines were those of the request before")
}

// A client that does not read its answer is dropped, and does not keep its place.
func TestAnswersThatAreNotReadEnd(t *testing.T) {
	t.Parallel()
	large := newTool(t, "large", func(context.Context, *tools.Call, none) (string, error) { return strings.Repeat("x", 8<<20), nil })
	srv := newSlowServer(t, tools.Of(large, newTool(t, "whoami", whoami)), 50*time.Millisecond)
	body := strings.Replace(callWhoami, "whoami", "large", 1)
	require.NoError(t, dial(t, srv, "/", len(body), body).(*net.TCPConn).SetReadBuffer(4<<10))
	for answered := false; !answered; {
		time.Sleep(10 * time.Millisecond)
		conn := must.Get((&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String()))
		answered = isAnswered(t, conn)
		require.NoError(t, conn.Close())
	}
}
