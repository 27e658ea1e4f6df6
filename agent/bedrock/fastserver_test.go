package bedrock_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// A server on loopback may answer before the client's transport has done with the request's body. The SDK closes the
// body once it sees the headers, and a transport that is still in it drops the connection; see [pulse].
func TestFastServer(t *testing.T) {
	whole := record(t, bt.Reply(bt.Text("one", "two")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		_, _ = w.Write(whole)
	}))
	defer server.Close()
	client := bt.NewClient(server.URL, func(o *bedrockruntime.Options) { o.HTTPClient = server.Client() })
	m := bedrock.New(client, "any-model", nil)
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			for range 40 {
				for _, err := range m.Stream(t.Context(), ask(strings.Repeat("long ", 2000))) {
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
}
