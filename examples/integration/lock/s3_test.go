package lock

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	carrel "github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

// bucketFor returns a bucket whose driver is forced to use the credentials of
// one scope for all scopes.
func bucketFor(t *testing.T, name string, c aws.CredentialsProvider) *carrel.Bucket {
	t.Helper()
	b, err := s3object.Open(s3Client(c), name, nil)
	require.NoError(t, err)
	return b
}

func rootCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(access, secret, "")
}

// fill puts a file into both buckets of every scope that has files.
func fill(t *testing.T, name string) {
	t.Helper()
	for _, bucket := range []string{landing, raw} {
		b := bucketFor(t, bucket, rootCredentials())
		for _, s := range files() {
			put(t, b, s, name, nil)
		}
	}
}

func put(t *testing.T, b *carrel.Bucket, s scope.Scope, name string, o *carrel.PutOptions) {
	t.Helper()
	root, ref := at(t, b, s, name)
	_, _, err := root.Put(t.Context(), ref, strings.NewReader("of "+s.String()), o)
	require.NoError(t, err)
}

func at(t *testing.T, b *carrel.Bucket, s scope.Scope, name string) (*carrel.Root, carrel.Ref) {
	t.Helper()
	root, err := b.In(s)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	return root, ref
}

// files lists the scopes that have files: all except tenants.
func files() []scope.Scope {
	var out []scope.Scope
	for _, s := range scopes() {
		if s.Level() != scope.TenantLevel {
			out = append(out, s)
		}
	}
	return out
}

// requireOnly checks the server's answer: success if the credentials' scope
// contains the other scope, otherwise access denied.
func requireOnly(t *testing.T, err error, holder, target scope.Scope, what string) {
	t.Helper()
	if holder.Contains(target) {
		require.NoError(t, err, "%s: credentials of %v, at %v", what, holder, target)
		return
	}
	require.ErrorIs(t, err, carrel.ErrDenied, "%s: credentials of %v, at %v", what, holder, target)
}

func read(ctx context.Context, root *carrel.Root, ref carrel.Ref) (string, error) {
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	return string(b), err
}

func TestAgentReadsItsScopeAlone(t *testing.T) {
	fill(t, "read.txt")
	for i, holder := range scopes() {
		agent := newVendor(t).Provider(holder, credential.Agent)
		buckets := []*carrel.Bucket{bucketFor(t, landing, agent), bucketFor(t, raw, agent)}
		for j, target := range files() {
			b := buckets[(i+j)%2]
			root, ref := at(t, b, target, "read.txt")
			_, _, err := root.Stat(t.Context(), ref)
			requireOnly(t, err, holder, target, "stat")
			text, err := read(t.Context(), root, ref)
			requireOnly(t, err, holder, target, "open")
			if err == nil {
				require.Equal(t, "of "+target.String(), text)
			}
			// A missing object is reported as missing inside the scope, but as denied outside.
			_, missing := at(t, b, target, "missing.txt")
			_, _, err = root.Stat(t.Context(), missing)
			if holder.Contains(target) {
				require.ErrorIs(t, err, carrel.ErrNotFound)
			} else {
				require.ErrorIs(t, err, carrel.ErrDenied)
			}
		}
	}
}

func TestAgentListsItsScopeAlone(t *testing.T) {
	fill(t, "list.txt")
	for _, holder := range scopes() {
		b := bucketFor(t, raw, newVendor(t).Provider(holder, credential.Agent))
		for _, target := range scopes() {
			root, err := b.In(target)
			require.NoError(t, err)
			n := 0
			err = nil
			for ref, e := range root.List(t.Context()) {
				if e != nil {
					err = e
					break
				}
				require.True(t, holder.Contains(ref.Scope()))
				n++
			}
			requireOnly(t, err, holder, target, "list")
			require.Equal(t, err == nil, n > 0)
		}
	}
}

// A prefix without its slash would also match acme-2 and user u11.
func TestAgentListsNoHalfPrefix(t *testing.T) {
	fill(t, "half.txt")
	for _, s := range scopes() {
		c := s3Client(newVendor(t).Provider(s, credential.Agent))
		for _, prefix := range []string{"", "tenant", strings.TrimSuffix(s.Prefix(), "/"), s.Prefix()[:len(s.Prefix())-2]} {
			_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(raw), Prefix: &prefix})
			require.ErrorContains(t, err, "AccessDenied", "%v lists %q", s, prefix)
		}
		_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(raw)})
		require.ErrorContains(t, err, "AccessDenied", "%v lists without a prefix", s)
	}
}

func TestWriterWritesItsScopeAlone(t *testing.T) {
	fill(t, "replace.txt")
	for i, holder := range scopes() {
		vendor := newVendor(t)
		b := bucketFor(t, raw, vendor.Provider(holder, credential.Writer))
		both := bucketFor(t, raw, vendor.Provider(holder, credential.Agent|credential.Writer))
		root := bucketFor(t, raw, rootCredentials())
		for j, target := range files() {
			own, ref := at(t, b, target, fmt.Sprintf("by-%d.txt", i))
			_, _, err := own.Put(t.Context(), ref, strings.NewReader("x"), nil)
			requireOnly(t, err, holder, target, "put")
			requireOnly(t, own.Delete(t.Context(), ref), holder, target, "delete")

			// Replace exactly the current version, as accepting does.
			if (i+j)%3 != 0 && !holder.Contains(target) {
				continue // refusals are slow, so test a third of them
			}
			admin, there := at(t, root, target, "replace.txt")
			there, info, err := admin.Stat(t.Context(), there)
			require.NoError(t, err)
			own, _ = at(t, both, target, "replace.txt")
			_, _, err = own.Put(t.Context(), there.Unpinned(), strings.NewReader(fmt.Sprintf("by %d", i)), &carrel.PutOptions{IfMatch: info.ETag})
			requireOnly(t, err, holder, target, "replace")
		}
	}
	// Refused requests have not changed anything.
	b := bucketFor(t, raw, rootCredentials())
	for _, target := range files() {
		root, ref := at(t, b, target, "replace.txt")
		text, err := read(t.Context(), root, ref)
		require.NoError(t, err)
		var by int
		_, err = fmt.Sscanf(text, "by %d", &by)
		require.NoError(t, err)
		require.True(t, scopes()[by].Contains(target), "%v was written with the credentials of %v", target, scopes()[by])
	}
}

// Each purpose allows only its own operations, even inside its scope.
func TestPurposesAreApart(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	for _, bucket := range []string{landing, raw} {
		put(t, bucketFor(t, bucket, rootCredentials()), s, "apart.txt", nil)
	}
	for _, c := range []struct {
		p                  credential.Purpose
		bucket             string
		reads, writes, del bool
	}{
		{credential.Signer, landing, false, true, false},
		{credential.Signer, raw, false, false, false},
		{credential.Agent, landing, true, false, false},
		{credential.Agent, raw, true, false, false},
		{credential.Writer, landing, false, false, false},
		{credential.Writer, raw, false, true, true},
		{credential.Tracker, landing, false, false, false},
		{credential.Tracker, raw, false, false, false},
	} {
		require3 := func(what string, can bool, err error) {
			if can {
				require.NoError(t, err, "%s %s %s", c.p, c.bucket, what)
			} else {
				require.ErrorIs(t, err, carrel.ErrDenied, "%s %s %s", c.p, c.bucket, what)
			}
		}
		b := bucketFor(t, c.bucket, vendor.Provider(s, c.p))
		root, ref := at(t, b, s, "apart.txt")
		_, err := read(t.Context(), root, ref)
		require3("read", c.reads, err)
		_, _, err = root.Stat(t.Context(), ref)
		require3("stat", c.reads, err)
		for _, e := range root.List(t.Context()) {
			err = e
			break
		}
		require3("list", c.reads, err)
		_, fresh := at(t, b, s, "apart-"+c.p.String()+".txt")
		_, _, err = root.Put(t.Context(), fresh, strings.NewReader("x"), nil)
		require3("put", c.writes, err)
		require3("delete", c.del, root.Delete(t.Context(), ref))
	}
	// None of them allows operations on buckets or settings.
	for _, p := range []credential.Purpose{credential.Signer, credential.Agent, credential.Writer, credential.Tracker} {
		c := s3Client(vendor.Provider(s, p))
		key := aws.String(s.Prefix() + "apart.txt")
		_, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String(raw)})
		require.ErrorContains(t, err, "AccessDenied", p)
		_, err = c.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: aws.String(raw), Key: key})
		require.ErrorContains(t, err, "AccessDenied", p)
		_, err = c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(raw)})
		require.ErrorContains(t, err, "AccessDenied", p)
		_, err = c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(landing)})
		require.ErrorContains(t, err, "AccessDenied", p)
		_, err = c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(raw), Prefix: aws.String(s.Prefix())})
		require.ErrorContains(t, err, "AccessDenied", p)
		_, err = c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String(raw), Key: key,
			CopySource: aws.String(raw + "/" + globexS.Prefix() + "apart.txt")})
		require.ErrorContains(t, err, "AccessDenied", p)
	}
}

// signerFor returns a signer that is forced to use one session's credentials for all grants.
func signerFor(t *testing.T, c aws.CredentialsProvider) *presign.Signer {
	t.Helper()
	signer, err := presign.New(s3Client(c), bucketFor(t, landing, rootCredentials()), nil)
	require.NoError(t, err)
	return signer
}

// Grants are signed without a call to S3. S3 denies a grant that the session's
// policy does not allow when the grant is used.
func TestSignerGrantsItsSessionAlone(t *testing.T) {
	for i, holder := range scopes() {
		if holder.Level() != scope.SessionLevel {
			continue
		}
		signer := signerFor(t, newVendor(t).Provider(holder, credential.Signer))
		for _, target := range scopes() {
			if target.Level() != scope.SessionLevel {
				continue
			}
			name := fmt.Sprintf("granted-%d.png", i)
			want := http.StatusForbidden
			if holder == target {
				want = http.StatusOK
			}
			body := []byte("hello")
			grant, err := signer.Put(t.Context(), target, name, &presign.PutOptions{Type: "image/png", Size: int64(len(body))})
			require.NoError(t, err)
			require.Equal(t, want, send(t, grant, body), "PUT: credentials of %v, at %v", holder, target)

			form, err := signer.Post(t.Context(), target, "form-"+name, &presign.PostOptions{Type: "image/png", MaxSize: 100})
			require.NoError(t, err)
			if holder != target { // its own is refused as well: versitygw asks about the bucket's ARN, where S3 asks about the object's
				require.Equal(t, http.StatusForbidden, post(t, form, body), "POST: credentials of %v, at %v", holder, target)
			}

			_, _, err = signer.Arrived(t.Context(), target, name, nil) // the bucket uses separate credentials
			if want == http.StatusOK {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, presign.ErrNotArrived)
			}
		}
	}
}

func TestMultipartOfItsSessionAlone(t *testing.T) {
	mine, other := u1s1, globexS
	signer := signerFor(t, newVendor(t).Provider(mine, credential.Signer))
	admin := signerFor(t, rootCredentials())
	body := []byte("the only part")
	o := &presign.MultipartOptions{Type: "image/png", Size: int64(len(body))}

	upload := func(s *presign.Signer, at scope.Scope, m presign.Multipart) (presign.Part, int) {
		grant, err := s.Part(t.Context(), at, m, 1, nil)
		require.NoError(t, err)
		res := do(t, grant, body)
		return presign.Part{ETag: res.Header.Get("ETag")}, res.StatusCode
	}
	m, err := signer.CreateMultipart(t.Context(), mine, "parts.png", o)
	require.NoError(t, err)
	part, status := upload(signer, mine, m)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, signer.Complete(t.Context(), mine, m, []presign.Part{part}))
	m, err = signer.CreateMultipart(t.Context(), mine, "aborted.png", o)
	require.NoError(t, err)
	require.NoError(t, signer.Abort(t.Context(), mine, m))

	_, err = signer.CreateMultipart(t.Context(), other, "parts.png", o)
	require.ErrorIs(t, err, carrel.ErrDenied)
	theirs, err := admin.CreateMultipart(t.Context(), other, "parts.png", o)
	require.NoError(t, err)
	_, status = upload(signer, other, theirs)
	require.Equal(t, http.StatusForbidden, status)
	part, status = upload(admin, other, theirs)
	require.Equal(t, http.StatusOK, status)
	require.ErrorIs(t, signer.Complete(t.Context(), other, theirs, []presign.Part{part}), carrel.ErrDenied)
	require.ErrorIs(t, signer.Abort(t.Context(), other, theirs), carrel.ErrDenied)
	require.NoError(t, admin.Complete(t.Context(), other, theirs, []presign.Part{part}), "it is still there")
}

// An Agent signs downloads.
func TestDownloadGrants(t *testing.T) {
	fill(t, "download.txt")
	for _, holder := range scopes() {
		signer := signerFor(t, newVendor(t).Provider(holder, credential.Agent))
		for _, target := range files() {
			_, ref := at(t, bucketFor(t, landing, rootCredentials()), target, "download.txt")
			grant, err := signer.Get(t.Context(), ref, nil)
			require.NoError(t, err)
			want := http.StatusForbidden
			if holder.Contains(target) {
				want = http.StatusOK
			}
			require.Equal(t, want, send(t, grant, nil), "credentials of %v, at %v", holder, target)
		}
	}
}

// The session's validity is checked, not only its policy.
func TestStolenAndStaleSessions(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	put(t, bucketFor(t, raw, rootCredentials()), s, "stale.txt", nil)
	good := must.Get(vendor.Retrieve(t.Context(), s, credential.Agent))
	wide := must.Get(vendor.Retrieve(t.Context(), globex, credential.Agent))
	get := func(c aws.Credentials) error {
		fixed := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
		_, err := s3Client(fixed).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(raw), Key: aws.String(s.Prefix() + "stale.txt")})
		return err
	}
	require.NoError(t, get(good))
	for name, spoil := range map[string]func(*aws.Credentials){
		"another secret":          func(c *aws.Credentials) { c.SecretAccessKey = wide.SecretAccessKey },
		"another session's token": func(c *aws.Credentials) { c.SessionToken = wide.SessionToken },
		"no token":                func(c *aws.Credentials) { c.SessionToken = "" },
		"another key":             func(c *aws.Credentials) { c.AccessKeyID = wide.AccessKeyID },
	} {
		c := good
		spoil(&c)
		require.Error(t, get(c), name)
	}
	require.Error(t, get(endedSession(t, s, credential.Agent)), "a session that has ended")
}

func send(t *testing.T, g presign.Grant, body []byte) int {
	t.Helper()
	return do(t, g, body).StatusCode
}

func do(t *testing.T, g presign.Grant, body []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), g.Method, g.URL, bytes.NewReader(body))
	require.NoError(t, err)
	for name, value := range g.Headers {
		req.Header.Set(name, value)
	}
	return answer(t, req)
}

func post(t *testing.T, f presign.Form, body []byte) int {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range f.Fields {
		require.NoError(t, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "x")
	require.NoError(t, err)
	_, err = part.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL, &b)
	require.NoError(t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return answer(t, req).StatusCode
}

func answer(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	res, err := world.id.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	return res
}
