package presigntest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

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
