package backend

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// httpClient returns the client for all calls.
//
// The SDK closes the body of a request when its response has begun. A fast
// server can answer before the goroutine that writes the request has seen the
// end of the body. The request then fails, its response is lost, and the SDK
// sends it again. A conditional write then fails because of its first try. To
// avoid this, the body is read before the request is sent.
func httpClient() *http.Client {
	return &http.Client{Transport: bufferingTransport{http.DefaultTransport}}
}

// bufferingTransport reads the body of a request before it sends the request.
type bufferingTransport struct{ http.RoundTripper }

func (t bufferingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("backend: read the body: %w", err)
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return t.RoundTripper.RoundTrip(r)
}
