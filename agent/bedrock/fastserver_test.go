package bedrock_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
)

// lateConn is a connection whose writes arrive before they return: the other side can answer meanwhile.
type lateConn struct{ net.Conn }

func (c lateConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	<-time.After(5 * time.Millisecond)
	return n, err
}

// A server on loopback may answer before the client's transport has done with the request's body. The SDK closes the
// body once it sees the headers, and a transport that is still in it drops the connection; see [pulse].
func TestFastServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		whole := record(t, bt.Reply(bt.Text("It is ", "Emma.")))
		client, stop := memnet.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-time.After(50 * time.Millisecond)
			_, _ = w.Write(whole)
		}))
		defer stop()
		transport := client.Transport.(*http.Transport)
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return lateConn{c}, err
		}
		got, err := collect(t, t.Context(), newModel(client, nil), ask("?"))
		require.NoError(t, err)
		require.Equal(t, agent.TextDelta{Text: "It is "}, got[0])
	})
}
