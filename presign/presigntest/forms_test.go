package presigntest_test

import (
	"bytes"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

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
