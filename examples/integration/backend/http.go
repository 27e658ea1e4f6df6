package backend

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// httpClient returns the client that all calls go through.
//
// The SDK closes the body of a request when its answer has begun. A server on
// a busy machine can be so quick, next to the goroutine that writes the
// request, that this one has not yet seen the end of the body; it then fails
// the request, whose answer is lost, and the SDK sends it again. So that tests
// do not see a conditional write fail on its own first try, the body is read
// before anything is sent.
func httpClient() *http.Client {
	return &http.Client{Transport: buffered{http.DefaultTransport}}
}

type buffered struct{ http.RoundTripper }

func (t buffered) RoundTrip(r *http.Request) (*http.Response, error) {
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
