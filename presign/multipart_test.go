package presign_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const (
	minPartSize     = 5 << 20
	maxParts        = 10_000
	defaultPartSize = 64 << 20
	maxMultipart    = 5 << 40
)

// wire answers every request alike and records the last one.
type wire struct {
	status       int
	code, answer string
	request      *http.Request
	body         string
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.request, w.body = r, string(b)
	rw.Header().Set("Content-Type", "application/xml")
	rw.WriteHeader(w.status)
	if w.code != "" {
		fmt.Fprintf(rw, "<Error><Code>%s</Code><Message>arn:aws:s3:::landing says no</Message></Error>", w.code)
		return
	}
	fmt.Fprint(rw, w.answer)
}

func overWire(t *testing.T, w *wire) *presign.Signer { return overWireWith(t, w, nil) }

func overWireWith(t *testing.T, w *wire, o *presign.Options) *presign.Signer {
	t.Helper()
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	return signer(t, s3.New(s3.Options{
		BaseEndpoint: &srv.URL, UsePathStyle: true, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	}), o)
}

func TestMultipartOnTheWire(t *testing.T) {
	t.Parallel()
	w := &wire{status: 200, answer: "<InitiateMultipartUploadResult><UploadId>id+/=</UploadId></InitiateMultipartUploadResult>"}
	s := overWire(t, w)
	m, err := s.CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "image/jpeg", Size: 150 << 20, Digests: true})
	require.NoError(t, err)
	require.Equal(t, presign.Multipart{ID: "id+/=", Name: "a.jpg", Type: "image/jpeg", Size: 150 << 20, PartSize: 64 << 20, Digests: true}, m)
	require.Equal(t, 3, m.Parts())
	require.Equal(t, "/carrel-landing/"+session(t).Prefix()+"a.jpg", w.request.URL.Path)
	require.Equal(t, "image/jpeg", w.request.Header.Get("Content-Type"))
	require.Equal(t, "SHA256", w.request.Header.Get("X-Amz-Checksum-Algorithm"))

	kept, err := json.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, `{"id":"id+/=","name":"a.jpg","type":"image/jpeg","size":157286400,"part_size":67108864,"digests":true}`, string(kept))
	require.NotContains(t, string(kept), session(t).Prefix(), "it holds no key")

	w.answer = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
	parts := []presign.Part{{`"e1"`, sum[:]}, {`"e2"`, sum[:]}, {`"e3"`, sum[:]}}
	require.NoError(t, s.Complete(t.Context(), session(t), m, parts))
	require.Equal(t, "*", w.request.Header.Get("If-None-Match"))
	require.Equal(t, "157286400", w.request.Header.Get("X-Amz-Mp-Object-Size"))
	require.Equal(t, "id+/=", w.request.URL.Query().Get("uploadId"))
	require.Regexp(t, `(?s)<Part>.*<ChecksumSHA256>LPJNul.*<ETag>&#34;e1&#34;</ETag><PartNumber>1<.*<PartNumber>3<`, w.body)

	w.status, w.answer = 204, ""
	require.NoError(t, s.Abort(t.Context(), session(t), m))
	require.Equal(t, "DELETE", w.request.Method)
}

func TestCreateMultipartWithoutDigests(t *testing.T) {
	t.Parallel()
	w := &wire{status: 200, answer: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"}
	_, err := overWire(t, w).CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "image/jpeg", Size: 1})
	require.NoError(t, err)
	require.Empty(t, w.request.Header.Get("X-Amz-Checksum-Algorithm"), "S3 would want one of every part")

	w.answer = "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>"
	_, err = overWire(t, w).CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "image/jpeg", Size: 1})
	require.ErrorIs(t, err, presign.ErrInvalid, "an upload without an id")
}

// S3 answers a repeated Complete like the first one, so the Signer looks for the object before it calls S3.
func TestCompleteReturnsErrExistsForAnExistingObject(t *testing.T) {
	t.Parallel()
	s, root, ref := arrivedAt(t, object.NewMemory(), "12345")
	err := s.Complete(t.Context(), session(t), plan, []presign.Part{{ETag: "a"}, {ETag: "b"}, {ETag: "c"}})
	require.ErrorIs(t, err, object.ErrExists)
	_, info, err := root.Stat(t.Context(), ref)
	require.NoError(t, err)
	require.EqualValues(t, 5, info.Size)
}

func TestMultipartErrorsAreMapped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{404, "NoSuchUpload", presign.ErrNoUpload},
		{412, "PreconditionFailed", object.ErrExists},
		{200, "PreconditionFailed", object.ErrExists}, // S3 may send the status before it knows
		{409, "ConditionalRequestConflict", object.ErrConflict},
		{400, "InvalidPart", presign.ErrParts},
		{400, "InvalidPartOrder", presign.ErrParts},
		{400, "EntityTooSmall", presign.ErrParts},
		{400, "InvalidRequest", presign.ErrParts},
		{403, "AccessDenied", object.ErrDenied},
		{500, "InternalError", nil},
		{403, "SignatureDoesNotMatch", nil},
	} {
		s := overWire(t, &wire{status: c.status, code: c.code})
		err := s.Complete(t.Context(), session(t), plan, []presign.Part{{ETag: "a"}, {ETag: "b"}, {ETag: "c"}})
		require.Error(t, err)
		for _, sentinel := range []error{presign.ErrNoUpload, object.ErrExists, object.ErrConflict, presign.ErrParts, object.ErrDenied} {
			require.Equal(t, errors.Is(c.want, sentinel), errors.Is(err, sentinel), "%d %s is %v: %v", c.status, c.code, sentinel, err)
		}
	}
	s := overWire(t, &wire{status: 404, code: "NoSuchUpload"})
	require.ErrorIs(t, s.Abort(t.Context(), session(t), plan), presign.ErrNoUpload)
	_, err := overWire(t, &wire{status: 403, code: "AccessDenied"}).CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "a/b", Size: 1})
	require.ErrorIs(t, err, object.ErrDenied)
}

func TestMultipartRejectsInvalidPlans(t *testing.T) {
	t.Parallel()
	w := &wire{status: 200}
	s := overWire(t, w)
	for what, o := range map[string]*presign.MultipartOptions{
		"nothing":        nil,
		"no type":        {Size: 5},
		"no size":        {Type: "a/b"},
		"negative":       {Type: "a/b", Size: -1},
		"too large":      {Type: "a/b", Size: maxMultipart + 1},
		"small parts":    {Type: "a/b", Size: 5, PartSize: minPartSize - 1},
		"large parts":    {Type: "a/b", Size: 5, PartSize: presign.MaxSize + 1},
		"negative parts": {Type: "a/b", Size: 5, PartSize: -1},
		"too many parts": {Type: "a/b", Size: minPartSize*maxParts + 1, PartSize: minPartSize},
	} {
		_, err := s.CreateMultipart(t.Context(), session(t), "a.jpg", o)
		require.ErrorIs(t, err, presign.ErrInvalid, what)
	}
	_, err := s.CreateMultipart(t.Context(), session(t), "../a.jpg", &presign.MultipartOptions{Type: "a/b", Size: 5})
	require.ErrorIs(t, err, scope.ErrInvalid)

	change := func(f func(*presign.Multipart)) presign.Multipart { m := plan; f(&m); return m }
	for what, m := range map[string]presign.Multipart{
		"the zero plan":          {},
		"no id":                  change(func(m *presign.Multipart) { m.ID = "" }),
		"a space in the id":      change(func(m *presign.Multipart) { m.ID = "a b" }),
		"a line in the id":       change(func(m *presign.Multipart) { m.ID = "a\r\nb" }),
		"a huge id":              change(func(m *presign.Multipart) { m.ID = strings.Repeat("x", 1025) }),
		"no size":                change(func(m *presign.Multipart) { m.Size = 0 }),
		"no part size":           change(func(m *presign.Multipart) { m.PartSize = 0 }),
		"another tenant's name":  change(func(m *presign.Multipart) { m.Name = "../../../../tenant=globex/shared/x" }),
		"a type with a new line": change(func(m *presign.Multipart) { m.Type = "a/b\n" }),
	} {
		_, part := s.Part(t.Context(), session(t), m, 1, nil)
		complete := s.Complete(t.Context(), session(t), m, []presign.Part{{ETag: "a"}})
		for _, err := range []error{part, complete, s.Abort(t.Context(), session(t), m)} {
			require.True(t, errors.Is(err, presign.ErrInvalid) || errors.Is(err, scope.ErrInvalid), "%s: %v", what, err)
		}
	}
	digests := change(func(m *presign.Multipart) { m.Digests = true })
	for what, c := range map[string]struct {
		m      presign.Multipart
		number int
		o      *presign.PartOptions
	}{
		"part 0":               {plan, 0, nil},
		"a part too many":      {plan, 4, nil},
		"no digest":            {digests, 1, nil},
		"half a digest":        {digests, 1, &presign.PartOptions{SHA256: sum[:16]}},
		"a digest not planned": {plan, 1, &presign.PartOptions{SHA256: sum[:]}},
	} {
		_, err := s.Part(t.Context(), session(t), c.m, c.number, c.o)
		require.ErrorIs(t, err, presign.ErrInvalid, what)
	}
	e := presign.Part{ETag: "e"}
	for what, parts := range map[string][]presign.Part{
		"none": nil, "one missing": {e, e}, "one too many": {e, e, e, e}, "no ETag": {e, {}, e},
		"XML in an ETag, and a line": {e, {ETag: "</ETag>\n"}, e}, "a digest not planned": {e, e, {ETag: "e", SHA256: sum[:]}},
	} {
		require.ErrorIs(t, s.Complete(t.Context(), session(t), plan, parts), presign.ErrParts, what)
	}
	require.Nil(t, w.request, "nothing of it was sent")
}

func TestDefaultPartSizeFitsEveryObject(t *testing.T) {
	t.Parallel()
	w := &wire{status: 200, answer: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"}
	s := overWire(t, w)
	const most = defaultPartSize * maxParts
	for _, size := range []int64{1, defaultPartSize, defaultPartSize + 1, most - 1, most, most + 1, maxMultipart - 1, maxMultipart} {
		m, err := s.CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "a/b", Size: size})
		require.NoError(t, err, size)
		require.LessOrEqual(t, m.Parts(), maxParts)
		var sum int64
		for n := 1; n <= m.Parts(); n += max(1, m.Parts()-1) { // the first and the last
			g, err := s.Part(t.Context(), session(t), m, n, nil)
			require.NoError(t, err)
			sum += g.Size
		}
		if m.Parts() > 1 {
			sum += int64(m.Parts()-2) * m.PartSize
		}
		require.Equal(t, size, sum)
	}
}
