package presigntest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/presigntest"
)

const (
	promised = 100_000 // bytes of body that the requests below announce
	sent     = 40_000  // and how many of them they send
)

// cutConn sends the header and at most left bytes after it, and then ends its side of the connection.
type cutConn struct {
	net.Conn // not embedded as a *net.TCPConn, whose ReadFrom would go round Write

	mu     sync.Mutex
	header []byte // bytes written so far, until the header is complete
	left   int
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body := p
	if c.header != nil {
		seen := len(c.header)
		c.header = append(c.header, p...)
		end := bytes.Index(c.header, []byte("\r\n\r\n"))
		if end < 0 {
			return c.Conn.Write(p)
		}
		c.header = nil
		if _, err := c.Conn.Write(p[:end+4-seen]); err != nil {
			return 0, err
		}
		body = p[end+4-seen:]
	}
	if len(body) < c.left {
		c.left -= len(body)
		_, err := c.Conn.Write(body)
		return len(p), err
	}
	if c.left > 0 {
		if _, err := c.Conn.Write(body[:c.left]); err != nil {
			return 0, err
		}
		c.left = 0
		return len(p), c.Conn.(*net.TCPConn).CloseWrite()
	}
	return len(p), nil
}

// cut is a client whose connections end n bytes into a request's body.
func cut(n int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &cutConn{Conn: c, header: []byte{}, left: n}, nil
		},
	}}
}

// refused sends the request and requires that the server turns it down with a status of 400 or 413, or closes the
// connection while the body is on its way.
func refused(t *testing.T, c *http.Client, req *http.Request) {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		return
	}
	body, _ := io.ReadAll(res.Body)
	require.NoError(t, res.Body.Close())
	require.Contains(t, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, res.StatusCode, "%s", body)
}

func refusedShort(t *testing.T, req *http.Request) {
	t.Helper()
	refused(t, cut(sent), req)
}

// A body that ends before its announced length is never stored, however it is uploaded.
func TestIncompleteBodiesAreNotStored(t *testing.T) {
	t.Parallel()
	file := bytes.Repeat([]byte("carrel. "), promised/8)

	t.Run("PUT", func(t *testing.T) {
		t.Parallel()
		for name, o := range map[string]*presign.PutOptions{
			"with a length": {Type: "image/jpeg", Size: promised},
			"without":       {AllowUnsized: true},
		} {
			d := newDesk(t, secret)
			refusedShort(t, request(t, d.grant(t, o), file))
			_, _, err := d.signer.Arrived(t.Context(), d.session, name, nil)
			require.ErrorIs(t, err, presign.ErrNotArrived)
			res, body := do(t, request(t, d.grant(t, o), file))
			require.Equal(t, http.StatusOK, res.StatusCode, "the upload can be repeated: %s", body)
		}
	})

	t.Run("part", func(t *testing.T) {
		t.Parallel()
		c, bucket := newBucket(t)
		up, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String("parts")})
		require.NoError(t, err)
		part := &s3.UploadPartInput{Bucket: &bucket, Key: up.Key, UploadId: up.UploadId, PartNumber: aws.Int32(1)}
		signed, err := s3.NewPresignClient(c).PresignUploadPart(t.Context(), part)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, bytes.NewReader(file))
		require.NoError(t, err)
		refusedShort(t, req)
		list, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &bucket, Key: up.Key, UploadId: up.UploadId})
		require.NoError(t, err)
		require.Empty(t, list.Parts)
	})

	t.Run("form", func(t *testing.T) {
		t.Parallel()
		for name, after := range map[string]int{"in the file": 0, "after the last boundary": promised} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t, secret)
				f := d.form(t, &presign.PostOptions{Type: "image/jpeg", MaxSize: promised})
				var body bytes.Buffer
				w := multipart.NewWriter(&body)
				for k, v := range f.Fields {
					require.NoError(t, w.WriteField(k, v))
				}
				part, err := w.CreateFormFile("file", "x.jpg")
				require.NoError(t, err)
				size := promised
				if after > 0 {
					size = 1000 // so that the whole form fits into what is sent
				}
				_, err = part.Write(file[:size])
				require.NoError(t, err)
				require.NoError(t, w.Close())
				body.Write(make([]byte, after)) // the rest of the announced length, after the form
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL, &body)
				require.NoError(t, err)
				req.Header.Set("Content-Type", w.FormDataContentType())
				refusedShort(t, req)
				_, _, err = d.signer.Arrived(t.Context(), d.session, name, nil)
				require.ErrorIs(t, err, presign.ErrNotArrived)
				list, err := newClient(secret).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket})
				require.NoError(t, err)
				require.Empty(t, list.Contents)
			})
		}
	})

	// The test's server may hold objects of at most maxObject bytes.
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		large := make([]byte, maxObject+1)
		d := newDesk(t, secret)
		res, body := do(t, request(t, d.grant(t, &presign.PutOptions{AllowUnsized: true}), large))
		require.Equal(t, http.StatusBadRequest, res.StatusCode, body)
		require.Contains(t, body, "EntityTooLarge")
		f := d.form(t, &presign.PostOptions{Type: "image/jpeg", MaxSize: maxObject * 2})
		refused(t, http.DefaultClient, formRequest(t, f.URL, f.Fields, large))
		refused(t, http.DefaultClient, formRequest(t, f.URL, f.Fields, make([]byte, maxObject+2<<20)))

		c := newClient(secret)
		up, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &d.bucket, Key: aws.String("parts")})
		require.NoError(t, err)
		var parts []types.CompletedPart
		for n := range int32(2) {
			p, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
				Bucket: &d.bucket, Key: up.Key, UploadId: up.UploadId, PartNumber: aws.Int32(n + 1), Body: bytes.NewReader(large[:maxObject-1<<20]),
			})
			require.NoError(t, err)
			parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n + 1), ETag: p.ETag})
		}
		_, err = c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: &d.bucket, Key: up.Key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
		require.ErrorContains(t, err, "EntityTooLarge")
		list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket})
		require.NoError(t, err)
		require.Empty(t, list.Contents)
	})
}

// Bodies that are read into memory before a signature is verified are rejected by their length.
func TestLargeDocumentsAreRejectedByTheirLength(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	for name, c := range map[string]struct {
		method, path, media string
		length              int64
		status              int
	}{
		"a document":      {http.MethodPut, "?cors", "application/xml", 5 << 20, http.StatusRequestEntityTooLarge},
		"of an object":    {http.MethodPut, "/x?tagging", "application/xml", 5 << 20, http.StatusRequestEntityTooLarge},
		"a posted one":    {http.MethodPost, "?delete", "application/xml", 5 << 20, http.StatusRequestEntityTooLarge},
		"without length":  {http.MethodPost, "?delete", "application/xml", -1, http.StatusLengthRequired},
		"a form too long": {http.MethodPost, "", "multipart/form-data; boundary=x", 50 << 20, http.StatusRequestEntityTooLarge},
		"small enough":    {http.MethodPut, "?cors", "application/xml", 10, http.StatusForbidden},
	} {
		body := io.LimitReader(zeros{}, max(c.length, 10))
		req, err := http.NewRequestWithContext(t.Context(), c.method, endpoint+"/"+d.bucket+c.path, io.NopCloser(body))
		require.NoError(t, err)
		req.ContentLength = c.length
		req.Header.Set("Content-Type", c.media)
		req.Header.Set("Expect", "100-continue")
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}}
		res, err := client.Do(req)
		if err != nil { // closed while the body was on its way
			require.NotEqual(t, int64(10), c.length, name)
			continue
		}
		require.NoError(t, res.Body.Close())
		require.Equal(t, c.status, res.StatusCode, name)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Deleting an object that was the only one in its directory does not make the upload of another one fail.
func TestDeletionsDoNotDisturbUploads(t *testing.T) {
	t.Parallel()
	c, bucket := newBucket(t)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for range 50 {
				key := aws.String("a/b/c/" + rand.Text() + "/cover.jpg")
				_, put := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: bytes.NewReader(cover)})
				_, deleted := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: key})
				errs[i] = errors.Join(errs[i], put, deleted)
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// Silent connections are limited for each address, and cannot keep the program itself out.
func TestConnectionsOfAnAddressAreLimited(t *testing.T) {
	t.Parallel()
	const maxConns = 8
	server := start(t, t.TempDir(), &presigntest.Options{MaxConns: maxConns})
	u, err := url.Parse(server.Endpoint())
	require.NoError(t, err)
	var last net.Conn
	for range maxConns + 1 {
		last, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
		require.NoError(t, err)
		defer last.Close()
	}
	require.NoError(t, last.SetReadDeadline(time.Now().Add(time.Minute)))
	answer, err := io.ReadAll(last)
	require.NoError(t, err)
	require.Contains(t, string(answer), " 429 ", "the address has used up its connections")
	for range 2 * maxConns {
		_, err = server.Client().ListBuckets(t.Context(), nil)
		require.NoError(t, err, "the program itself gets through")
	}
}

// A PUT that does not state a length is refused: an empty object would use the grant up.
func TestPutWithoutALengthIsRejected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	req := request(t, d.grant(t, &presign.PutOptions{AllowUnsized: true}), nil)
	conn, err := net.Dial("tcp", req.URL.Host)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: %s\r\n", req.URL.RequestURI(), req.URL.Host)
	require.NoError(t, err)
	require.NoError(t, req.Header.Write(conn))
	_, err = io.WriteString(conn, "\r\n"+strings.Repeat("x", 1000))
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusLengthRequired, res.StatusCode)
}
