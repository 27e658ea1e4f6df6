package integration_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/presign"
)

// unsignedBackends lists the backends that do not check the signature of a
// presigned URL. The test fails if one of them begins to check it, so that the
// table in docs/backends.md stays true.
var unsignedBackends = []backend.Kind{backend.Moto}

func TestPresignedPutRejectsOtherUploads(t *testing.T) {
	t.Parallel()
	b, _, _ := newBucket(t)
	signer, err := presign.New(servers.S3, b, nil)
	require.NoError(t, err)
	user, err := newAcme(t).User("u1")
	require.NoError(t, err)
	session, err := user.NewSession()
	require.NoError(t, err)
	cover := []byte("a cover of a book")
	sum := sha256.Sum256(cover)
	o := &presign.PutOptions{Type: "image/jpeg", Size: int64(len(cover)), SHA256: sum[:]}

	// An upload that differs from its grant is rejected and does not arrive.
	file := func(name string) string { return strings.ReplaceAll(name, " ", "-") + ".jpg" }
	for name, tamper := range map[string]func(r *http.Request){
		"another type":   func(r *http.Request) { r.Header.Set("Content-Type", "text/html") },
		"another key":    func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "u1", "u2", 1); r.URL.RawPath = "" },
		"no condition":   func(r *http.Request) { r.Header.Del("If-None-Match") },
		"a longer life":  func(r *http.Request) { setQuery(r.URL, "X-Amz-Expires", "604799") },
		"other bytes":    func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("A COVER OF A BOOK")) },
		"another method": func(r *http.Request) { r.Method = http.MethodDelete; r.Body, r.ContentLength = nil, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			g, err := signer.Put(t.Context(), session, file(name), o)
			require.NoError(t, err)
			r := newGrantRequest(t, g, cover)
			tamper(r)
			status := doRequest(t, r)
			if slices.Contains(unsignedBackends, servers.Kind) {
				require.Contains(t, []int{http.StatusOK, http.StatusNoContent}, status, "%s checks signatures: remove it from unsignedBackends", servers.Kind)
				return
			}
			require.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest}, status)
			_, _, err = signer.Arrived(t.Context(), session, file(name), nil)
			require.ErrorIs(t, err, presign.ErrNotArrived)
		})
	}

	g, err := signer.Put(t.Context(), session, "cover.jpg", o)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, doRequest(t, newGrantRequest(t, g, cover)))
	ref, info, err := signer.Arrived(t.Context(), session, "cover.jpg", nil)
	require.NoError(t, err)
	require.Equal(t, g.Key, ref.Key())
	require.EqualValues(t, len(cover), info.Size)
	require.Equal(t, "image/jpeg", info.Type)
	require.Equal(t, http.StatusPreconditionFailed, doRequest(t, newGrantRequest(t, g, cover)), "a second upload")
}

func setQuery(u *url.URL, name, value string) {
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
}

// newGrantRequest returns the request of an honest client for a grant.
func newGrantRequest(t *testing.T, g presign.Grant, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), g.Method, g.URL, bytes.NewReader(body))
	require.NoError(t, err)
	for name, value := range g.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func doRequest(t *testing.T, r *http.Request) int {
	t.Helper()
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
