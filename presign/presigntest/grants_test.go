package presigntest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// sendForm posts a form as a browser does.
func sendForm(t *testing.T, address string, fields map[string]string, file []byte) (*http.Response, string) {
	t.Helper()
	return do(t, formRequest(t, address, fields, file))
}

// formRequest returns a browser's form: the fields, and last the file.
func formRequest(t *testing.T, address string, fields map[string]string, file []byte) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		require.NoError(t, w.WriteField(field, fields[field]))
	}
	part, err := w.CreateFormFile("file", "../../what the browser calls it.jpg")
	require.NoError(t, err)
	_, err = part.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, &body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return req
}

func (d desk) form(t *testing.T, o *presign.PostOptions) presign.Form {
	t.Helper()
	f, err := d.signer.Post(t.Context(), d.session, name, o)
	require.NoError(t, err)
	return f
}

var ranged = &presign.PostOptions{Type: "image/jpeg", MinSize: 10, MaxSize: 100, SHA256: sum[:]}

func TestFormUploadsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	_, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.ErrorIs(t, err, presign.ErrNotArrived)

	f := d.form(t, ranged)
	res, body := sendForm(t, f.URL, f.Fields, cover)
	require.Equal(t, http.StatusNoContent, res.StatusCode, body)
	first, info, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.NoError(t, err)
	require.Equal(t, f.Key, first.Key())
	require.Equal(t, "image/jpeg", info.Type)
	require.EqualValues(t, len(cover), info.Size)
	require.Equal(t, sum[:], info.SHA256)

	// A form can be sent again, even with other bytes: the proof of the first
	// upload can still be told from the current object.
	loose := d.form(t, &presign.PostOptions{Type: "image/jpeg", MaxSize: 100})
	res, body = sendForm(t, loose.URL, loose.Fields, []byte("others"))
	require.Equal(t, http.StatusNoContent, res.StatusCode, body)
	_, _, err = d.root.Open(t.Context(), first, nil)
	require.ErrorIs(t, err, object.ErrChanged)
}

func TestTamperedFormsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	set := func(field, value string) func(map[string]string) {
		return func(f map[string]string) { f[field] = value }
	}
	drop := func(field string) func(map[string]string) {
		return func(f map[string]string) { delete(f, field) }
	}
	nothing := func(map[string]string) {}
	// The policy of a form that allows more, with the signature of this one.
	wide := d.form(t, &presign.PostOptions{Type: "text/html", MaxSize: presign.MaxSize}).Fields["policy"]
	type attempt struct {
		change func(map[string]string)
		file   []byte
	}
	cases := map[string]attempt{
		"another name":         {set("key", d.session.Prefix()+"x"), cover},
		"another session":      {set("key", newSession(t).Prefix()+name), cover},
		"another tenant":       {set("key", strings.Replace(d.session.Prefix(), "acme", "globex", 1)+name), cover},
		"dots in the key":      {set("key", d.session.Prefix()+"../"+name), cover},
		"the file's own name":  {set("key", d.session.Prefix()+"${filename}"), cover},
		"no key":               {drop("key"), cover},
		"another type":         {set("Content-Type", "text/html"), cover},
		"no type":              {drop("Content-Type"), cover},
		"too long":             {nothing, append(bytes.Clone(cover), make([]byte, 100)...)},
		"too short":            {nothing, cover[:9]},
		"empty":                {nothing, nil},
		"other bytes":          {nothing, bytes.Repeat([]byte("x"), len(cover))},
		"another digest":       {set("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="), cover},
		"no digest":            {drop("x-amz-checksum-sha256"), cover},
		"another policy":       {set("policy", wide), cover},
		"no policy":            {drop("policy"), cover},
		"another date":         {set("X-Amz-Date", "20990101T000000Z"), cover},
		"another credential":   {set("X-Amz-Credential", "somebody/20990101/us-east-1/s3/aws4_request"), cover},
		"another signature":    {set("X-Amz-Signature", strings.Repeat("0", 64)), cover},
		"no signature":         {drop("X-Amz-Signature"), cover},
		"smuggled acl":         {set("acl", "public-read"), cover},
		"smuggled metadata":    {set("x-amz-meta-tenant", "globex"), cover},
		"smuggled redirect":    {set("success_action_redirect", "http://evil.example"), cover},
		"smuggled tags":        {set("tagging", "<Tagging/>"), cover},
		"smuggled disposition": {set("Content-Disposition", "inline"), cover},
		"smuggled encoding":    {set("Content-Encoding", "gzip"), cover},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			f := d.form(t, ranged)
			c.change(f.Fields)
			res, body := sendForm(t, f.URL, f.Fields, c.file)
			require.Contains(t, refusals, res.StatusCode, body)
			require.Empty(t, everything(t, d.bucket))
		})
	}
	other, bucket := newBucket(t)
	f := d.form(t, ranged)
	res, body := sendForm(t, *other.Options().BaseEndpoint+"/"+bucket, f.Fields, cover)
	require.Contains(t, refusals, res.StatusCode, "another bucket: %s", body)
	res, body = sendForm(t, f.URL, f.Fields, cover)
	require.Equal(t, http.StatusNoContent, res.StatusCode, "after all that, the honest client: %s", body)
}

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

func (d desk) plan(t *testing.T) presign.Multipart {
	t.Helper()
	m, err := d.signer.CreateMultipart(t.Context(), d.session, name, &presign.MultipartOptions{Type: "image/tiff", Size: partSize + 7, PartSize: partSize})
	require.NoError(t, err)
	return m
}

// send sends part n, honestly.
func (d desk) send(t *testing.T, m presign.Multipart, n int, data []byte) presign.Part {
	t.Helper()
	o, p := &presign.PartOptions{}, presign.Part{}
	if m.Digests {
		digest := sha256.Sum256(data)
		o.SHA256, p.SHA256 = digest[:], digest[:]
	}
	g, err := d.signer.Part(t.Context(), d.session, m, n, o)
	require.NoError(t, err)
	res, body := do(t, request(t, g, data))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	p.ETag = res.Header.Get("ETag")
	return p
}

func TestPartsBecomeOneObject(t *testing.T) {
	t.Parallel()
	for _, digests := range []bool{false, true} {
		t.Run("digests "+strconv.FormatBool(digests), func(t *testing.T) {
			d := newDesk(t, secret)
			m, err := d.signer.CreateMultipart(t.Context(), d.session, name,
				&presign.MultipartOptions{Type: "image/tiff", Size: partSize + 7, PartSize: partSize, Digests: digests})
			require.NoError(t, err)
			head, tail := bytes.Repeat([]byte("h"), partSize), []byte("the end")
			parts := []presign.Part{d.send(t, m, 1, head), d.send(t, m, 2, tail)}
			_, _, err = d.signer.Arrived(t.Context(), d.session, name, nil)
			require.ErrorIs(t, err, presign.ErrNotArrived, "parts are no object")

			// A second upload of the same name is in flight.
			rival, err := d.signer.CreateMultipart(t.Context(), d.session, name,
				&presign.MultipartOptions{Type: "image/tiff", Size: partSize + 7, PartSize: partSize, Digests: digests})
			require.NoError(t, err)
			late := []presign.Part{d.send(t, rival, 1, head), d.send(t, rival, 2, tail)}

			require.NoError(t, d.signer.Complete(t.Context(), d.session, m, parts))
			ref, info, err := d.signer.Arrived(t.Context(), d.session, name, &presign.ArrivedOptions{MaxSize: partSize + 7})
			require.NoError(t, err)
			require.EqualValues(t, partSize+7, info.Size)
			require.Equal(t, "image/tiff", info.Type)
			require.Nil(t, info.SHA256, "a digest of digests is none of the object")
			body, _, err := d.root.Open(t.Context(), ref, &object.Range{Off: partSize - 1})
			require.NoError(t, err)
			data, err := io.ReadAll(body)
			require.NoError(t, err)
			require.NoError(t, body.Close())
			require.Equal(t, "hthe end", string(data))

			require.ErrorIs(t, d.signer.Complete(t.Context(), d.session, m, parts), object.ErrExists, "a second Complete")
			require.ErrorIs(t, d.signer.Complete(t.Context(), d.session, rival, late), object.ErrExists, "write once")
			require.NoError(t, d.signer.Abort(t.Context(), d.session, rival))
			require.ErrorIs(t, d.signer.Abort(t.Context(), d.session, rival), presign.ErrNoUpload)
			g, err := d.signer.Part(t.Context(), d.session, m, 2, partOptions(digests, tail))
			require.NoError(t, err)
			res, text := do(t, request(t, g, tail))
			require.Equal(t, http.StatusNotFound, res.StatusCode, "a part of what is complete: %s", text)
			again, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
			require.NoError(t, err)
			require.Equal(t, ref, again)
		})
	}
}

func partOptions(digests bool, data []byte) *presign.PartOptions {
	if !digests {
		return nil
	}
	digest := sha256.Sum256(data)
	return &presign.PartOptions{SHA256: digest[:]}
}

// An upload id is valid only for its session and file name, regardless of the
// caller.
func TestUploadIDIsBound(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	m := d.plan(t)
	first, last := d.send(t, m, 1, make([]byte, partSize)), d.send(t, m, 2, []byte("the end"))
	other := m
	other.Name = "other.tiff"
	elsewhere := d
	elsewhere.session = newSession(t)
	for what, c := range map[string]struct {
		d desk
		m presign.Multipart
	}{
		"another name": {d, other}, "another session": {elsewhere, m},
	} {
		g, err := c.d.signer.Part(t.Context(), c.d.session, c.m, 2, nil)
		require.NoError(t, err)
		res, body := do(t, request(t, g, []byte("stolen!")))
		require.Equal(t, http.StatusNotFound, res.StatusCode, "%s: %s", what, body)
		require.ErrorIs(t, c.d.signer.Complete(t.Context(), c.d.session, c.m, []presign.Part{first, last}), presign.ErrNoUpload, what)
		require.ErrorIs(t, c.d.signer.Abort(t.Context(), c.d.session, c.m), presign.ErrNoUpload, what)
	}
	require.Empty(t, everything(t, d.bucket))
	require.NoError(t, d.signer.Complete(t.Context(), d.session, m, []presign.Part{first, last}), "it has come to no harm")
}

// Complete accepts only the parts that were planned and sent.
func TestTamperedCompletionsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	m, err := d.signer.CreateMultipart(t.Context(), d.session, name,
		&presign.MultipartOptions{Type: "image/tiff", Size: partSize + 7, PartSize: partSize, Digests: true})
	require.NoError(t, err)
	first, last := d.send(t, m, 1, make([]byte, partSize)), d.send(t, m, 2, []byte("the end"))
	replaced := d.send(t, m, 2, []byte("THE END")) // a replay: it replaces the last part
	longer, unknown := m, m
	longer.Size++
	unknown.ID = "00000000-0000-7000-8000-000000000000"
	lie := replaced
	lie.SHA256 = first.SHA256
	for what, c := range map[string]struct {
		m     presign.Multipart
		parts []presign.Part
		want  error
	}{
		"a part that was replaced": {m, []presign.Part{first, last}, presign.ErrParts},
		"an ETag made up":          {m, []presign.Part{first, {ETag: `"0123"`, SHA256: last.SHA256}}, presign.ErrParts},
		"in another order":         {m, []presign.Part{replaced, first}, presign.ErrParts},
		"another digest":           {m, []presign.Part{first, lie}, presign.ErrParts},
		"one missing":              {m, []presign.Part{first}, presign.ErrParts},
		"longer than planned":      {longer, []presign.Part{first, replaced}, presign.ErrParts},
		"another id":               {unknown, []presign.Part{first, replaced}, presign.ErrNoUpload},
	} {
		require.ErrorIs(t, d.signer.Complete(t.Context(), d.session, c.m, c.parts), c.want, what)
		require.Empty(t, everything(t, d.bucket), what)
	}
	aborted := d.plan(t)
	require.NoError(t, d.signer.Abort(t.Context(), d.session, aborted))
	err = d.signer.Complete(t.Context(), d.session, aborted, []presign.Part{{ETag: "a"}, {ETag: "b"}})
	require.True(t, errors.Is(err, presign.ErrNoUpload) || errors.Is(err, presign.ErrParts), err)
	require.NoError(t, d.signer.Complete(t.Context(), d.session, m, []presign.Part{first, replaced}))
}

// Between uploads of one name that are completed at the same time, one wins.
func TestOneOfManyCompletionsWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	const n = 4
	var plans [n]presign.Multipart
	var parts [n][]presign.Part
	for i := range n {
		m, err := d.signer.CreateMultipart(t.Context(), d.session, name, &presign.MultipartOptions{Type: "image/tiff", Size: 8})
		require.NoError(t, err)
		plans[i], parts[i] = m, []presign.Part{d.send(t, m, 1, fmt.Appendf(nil, "upload %d", i))}
	}
	var errs [n]error
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = d.signer.Complete(t.Context(), d.session, plans[i], parts[i]) })
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		if err == nil {
			require.Negative(t, winner, "two have won")
			winner = i
			continue
		}
		require.True(t, errors.Is(err, object.ErrExists) || errors.Is(err, object.ErrConflict), err)
	}
	ref, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
	require.NoError(t, err)
	body, _, err := d.root.Open(t.Context(), ref, nil)
	require.NoError(t, err)
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, fmt.Sprintf("upload %d", winner), string(data))
}

func TestTamperedPartsAreRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	m, err := d.signer.CreateMultipart(t.Context(), d.session, name,
		&presign.MultipartOptions{Type: "image/tiff", Size: partSize + 7, PartSize: partSize, Digests: true})
	require.NoError(t, err)
	rival := d.plan(t)
	tail := []byte("the end")
	cases := signatures(d)
	maps.Copy(cases, map[string]func(*http.Request){
		"another part":        setQuery("partNumber", "1"),
		"no part":             dropQuery("partNumber"),
		"another upload":      setQuery("uploadId", rival.ID),
		"no upload":           dropQuery("uploadId"),
		"the object itself":   func(r *http.Request) { dropQuery("uploadId")(r); dropQuery("partNumber")(r) },
		"GET":                 setMethod(http.MethodGet),
		"other bytes":         setBody([]byte("THE END")),
		"longer":              setBody([]byte("the end!")),
		"shorter":             setBody([]byte("the en")),
		"length not told":     func(r *http.Request) { setBody(tail)(r); r.ContentLength = -1 },
		"digest dropped":      func(r *http.Request) { r.Header.Del("X-Amz-Checksum-Sha256") },
		"another digest":      setHeader("X-Amz-Checksum-Sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
		"smuggled copy":       setHeader("X-Amz-Copy-Source", "/carrel-raw/tenant=globex/shared/a.txt"),
		"smuggled copy range": setHeader("X-Amz-Copy-Source-Range", "bytes=0-1"),
	})
	for what, tamper := range cases {
		t.Run(what, func(t *testing.T) {
			g, err := d.signer.Part(t.Context(), d.session, m, 2, partOptions(true, tail))
			require.NoError(t, err)
			req := request(t, g, tail)
			tamper(req)
			res, body := do(t, req)
			require.Contains(t, refusals, res.StatusCode, body)
			require.Empty(t, everything(t, d.bucket))
		})
	}
	// After all that, the honest client; and nothing of theirs has counted.
	parts := []presign.Part{d.send(t, m, 1, make([]byte, partSize)), d.send(t, m, 2, tail)}
	require.NoError(t, d.signer.Complete(t.Context(), d.session, m, parts))
}

// The URL of a form is the bucket itself, which without the fields is closed.
func TestFormURLIsTheBucket(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	u, err := url.Parse(d.form(t, ranged).URL)
	require.NoError(t, err)
	require.Equal(t, "/"+d.bucket, strings.TrimSuffix(u.Path, "/"))
	res, body := sendForm(t, u.String(), nil, cover)
	require.Contains(t, refusals, res.StatusCode, body)
}
