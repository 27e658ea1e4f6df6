package presigntest_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

// refusals are the ways in which a server turns a tampered grant down.
var refusals = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusLengthRequired}

// setQuery changes one parameter and leaves the others as they were signed.
func setQuery(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		q := r.URL.Query()
		q.Set(name, value)
		r.URL.RawQuery = q.Encode()
	}
}

func dropQuery(name string) func(*http.Request) {
	return func(r *http.Request) {
		q := r.URL.Query()
		q.Del(name)
		r.URL.RawQuery = q.Encode()
	}
}

func setHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func setMethod(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }

func setBody(b []byte) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	}
}

// signatures are the tamperings that every signed URL has to withstand.
func signatures(d desk) map[string]func(*http.Request) {
	return map[string]func(*http.Request){
		"another name":          func(r *http.Request) { setKey(r, d.session.Prefix()+"x") },
		"another tenant":        func(r *http.Request) { setKey(r, strings.Replace(d.session.Prefix(), "acme", "globex", 1)+name) },
		"dots in the path":      func(r *http.Request) { setKey(r, d.session.Prefix()+"../x/"+name) },
		"the bucket":            func(r *http.Request) { setKey(r, "") },
		"DELETE":                setMethod(http.MethodDelete),
		"POST":                  setMethod(http.MethodPost),
		"longer expiry":         setQuery("X-Amz-Expires", "86400"),
		"another date":          setQuery("X-Amz-Date", "20990101T000000Z"),
		"another credential":    setQuery("X-Amz-Credential", "somebody/20990101/us-east-1/s3/aws4_request"),
		"fewer signed headers":  setQuery("X-Amz-SignedHeaders", "host"),
		"another signature":     setQuery("X-Amz-Signature", strings.Repeat("0", 64)),
		"no signature":          dropQuery("X-Amz-Signature"),
		"smuggled query, acl":   setQuery("acl", ""),
		"smuggled query, other": setQuery("versionId", "x"),
		"smuggled metadata":     setHeader("X-Amz-Meta-Tenant", "globex"),
	}
}

var ranged = &presign.PostOptions{Type: "image/jpeg", MinSize: 10, MaxSize: 100, SHA256: sum[:]}

func TestExpiredGrantsOfOtherKindsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	plan := d.plan(t)
	ref, err := d.root.Ref(name)
	require.NoError(t, err)
	var form presign.Form
	var get, part presign.Grant
	synctest.Test(t, func(t *testing.T) { // signed on 1 January 2000
		form = d.form(t, ranged)
		get, err = d.signer.Get(t.Context(), ref, nil)
		require.NoError(t, err)
		part, err = d.signer.Part(t.Context(), d.session, plan, 2, nil)
		require.NoError(t, err)
	})
	res, body := sendForm(t, form.URL, form.Fields, cover)
	require.Contains(t, refusals, res.StatusCode, body)
	res, body = do(t, request(t, get, nil))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
	res, body = do(t, request(t, part, make([]byte, part.Size)))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
}

func TestForgedGrantsAreRejected(t *testing.T) {
	t.Parallel()
	plan := newDesk(t, secret).plan(t)
	d := newDesk(t, "another-secret")
	f := d.form(t, ranged)
	res, body := sendForm(t, f.URL, f.Fields, cover)
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
	ref, err := d.root.Ref(name)
	require.NoError(t, err)
	g, err := d.signer.Get(t.Context(), ref, nil)
	require.NoError(t, err)
	res, body = do(t, request(t, g, nil))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
	g, err = d.signer.Part(t.Context(), d.session, plan, 2, nil)
	require.NoError(t, err)
	res, body = do(t, request(t, g, make([]byte, g.Size)))
	require.Equal(t, http.StatusForbidden, res.StatusCode, body)
}

func TestDownloadGrantReadsItsObject(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	up, body := do(t, request(t, d.grant(t, full), cover))
	require.Equal(t, http.StatusOK, up.StatusCode, body)
	ref, info, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.NoError(t, err)

	g, err := d.signer.Get(t.Context(), ref, &presign.GetOptions{Type: info.Type})
	require.NoError(t, err)
	res, body := do(t, request(t, g, nil))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, string(cover), body)
	require.Equal(t, "application/octet-stream", res.Header.Get("Content-Type"), "image/jpeg is not allowed here")
	require.Equal(t, `attachment; filename="front cover+1=_.jpg"; filename*=UTF-8''front%20cover+1%3D%C3%BC.jpg`, res.Header.Get("Content-Disposition"))

	part := request(t, g, nil)
	part.Header.Set("Range", "bytes=4-9")
	res, body = do(t, part)
	require.Equal(t, http.StatusPartialContent, res.StatusCode)
	require.Equal(t, string(cover[4:10]), body)

	link, err := d.signer.Get(t.Context(), ref.Unpinned(), nil)
	require.NoError(t, err)
	require.Empty(t, link.Headers, "a browser that follows a link sends none")
	res, _ = do(t, request(t, link, nil))
	require.Equal(t, http.StatusOK, res.StatusCode)

	// A pinned object that is gone is rejected, also for the grant.
	_, _, err = d.root.Put(t.Context(), ref.Unpinned(), strings.NewReader("something else"), &object.PutOptions{Overwrite: true})
	require.NoError(t, err)
	res, body = do(t, request(t, g, nil))
	require.Equal(t, http.StatusPreconditionFailed, res.StatusCode, body)
}

func TestTamperedDownloadsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	up, body := do(t, request(t, d.grant(t, full), cover))
	require.Equal(t, http.StatusOK, up.StatusCode, body)
	ref, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.NoError(t, err)
	theirs, err := d.root.Ref("theirs.txt")
	require.NoError(t, err)
	_, _, err = d.root.Put(t.Context(), theirs, strings.NewReader("not granted"), nil)
	require.NoError(t, err)

	cases := signatures(d)
	maps.Copy(cases, map[string]func(*http.Request){
		"another file":        func(r *http.Request) { setKey(r, theirs.Key()) },
		"PUT":                 setMethod(http.MethodPut),
		"HEAD":                setMethod(http.MethodHead),
		"shown inline":        setQuery("response-content-disposition", "inline"),
		"no disposition":      dropQuery("response-content-disposition"),
		"as HTML":             setQuery("response-content-type", "text/html"),
		"no type":             dropQuery("response-content-type"),
		"a header of its own": setQuery("response-cache-control", "public"),
		"any ETag":            setHeader("If-Match", "*"),
		"no ETag":             func(r *http.Request) { r.Header.Del("If-Match") },
	})
	for what, tamper := range cases {
		t.Run(what, func(t *testing.T) {
			g, err := d.signer.Get(t.Context(), ref, nil)
			require.NoError(t, err)
			req := request(t, g, nil)
			tamper(req)
			res, body := do(t, req)
			require.Contains(t, refusals, res.StatusCode, body)
			require.NotContains(t, body, string(cover))
			require.NotContains(t, body, "not granted")
		})
	}
	_, _, err = d.root.Stat(t.Context(), ref)
	require.NoError(t, err, "it is still there")
}

const partSize = 5 << 20
