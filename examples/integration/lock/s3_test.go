package lock

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	carrel "github.com/carrel-go/carrel/scope/object"
)

func TestAgentReadsOnlyItsScope(t *testing.T) {
	fillBuckets(t, "read.txt")
	for i, holder := range allScopes() {
		agent := newVendor(t).Provider(holder, credential.Agent)
		buckets := []*carrel.Bucket{bucketFor(t, landing, agent), bucketFor(t, raw, agent)}
		for j, target := range fileScopes() {
			b := buckets[(i+j)%2]
			root, ref := openFile(t, b, target, "read.txt")
			_, _, err := root.Stat(t.Context(), ref)
			requireAccess(t, err, holder, target, "stat")
			text, err := readFile(t.Context(), root, ref)
			requireAccess(t, err, holder, target, "open")
			if err == nil {
				require.Equal(t, "of "+target.String(), text)
			}
			// A missing object is reported as missing only inside the scope.
			_, missing := openFile(t, b, target, "missing.txt")
			_, _, err = root.Stat(t.Context(), missing)
			if holder.Contains(target) {
				require.ErrorIs(t, err, carrel.ErrNotFound)
			} else {
				require.ErrorIs(t, err, carrel.ErrDenied)
			}
		}
	}
}

func TestAgentListsOnlyItsScope(t *testing.T) {
	fillBuckets(t, "list.txt")
	for _, holder := range allScopes() {
		b := bucketFor(t, raw, newVendor(t).Provider(holder, credential.Agent))
		for _, target := range allScopes() {
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
			requireAccess(t, err, holder, target, "list")
			require.Equal(t, err == nil, n > 0)
		}
	}
}

// A prefix without its slash would also match acme-2 and user u11.
func TestAgentCannotListHalfAPrefix(t *testing.T) {
	fillBuckets(t, "half.txt")
	for _, s := range allScopes() {
		c := s3Client(newVendor(t).Provider(s, credential.Agent))
		for _, prefix := range []string{"", "tenant", strings.TrimSuffix(s.Prefix(), "/"), s.Prefix()[:len(s.Prefix())-2]} {
			_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(raw), Prefix: &prefix})
			require.ErrorContains(t, err, "AccessDenied", "%v lists %q", s, prefix)
		}
		_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(raw)})
		require.ErrorContains(t, err, "AccessDenied", "%v lists without a prefix", s)
	}
}

func TestWriterWritesOnlyItsScope(t *testing.T) {
	fillBuckets(t, "replace.txt")
	for i, holder := range allScopes() {
		vendor := newVendor(t)
		b := bucketFor(t, raw, vendor.Provider(holder, credential.Writer))
		both := bucketFor(t, raw, vendor.Provider(holder, credential.Agent|credential.Writer))
		root := bucketFor(t, raw, rootCredentials())
		for j, target := range fileScopes() {
			own, ref := openFile(t, b, target, fmt.Sprintf("by-%d.txt", i))
			_, _, err := own.Put(t.Context(), ref, strings.NewReader("x"), nil)
			requireAccess(t, err, holder, target, "put")
			requireAccess(t, own.Delete(t.Context(), ref), holder, target, "delete")

			// Replace exactly the current version.
			if (i+j)%3 != 0 && !holder.Contains(target) {
				continue // denials are slow, so test a third of them
			}
			admin, there := openFile(t, root, target, "replace.txt")
			there, info, err := admin.Stat(t.Context(), there)
			require.NoError(t, err)
			own, _ = openFile(t, both, target, "replace.txt")
			_, _, err = own.Put(t.Context(), there.Unpinned(), strings.NewReader(fmt.Sprintf("by %d", i)), &carrel.PutOptions{IfMatch: info.ETag})
			requireAccess(t, err, holder, target, "replace")
		}
	}
	// Denied requests have not changed anything.
	b := bucketFor(t, raw, rootCredentials())
	for _, target := range fileScopes() {
		root, ref := openFile(t, b, target, "replace.txt")
		text, err := readFile(t.Context(), root, ref)
		require.NoError(t, err)
		var by int
		_, err = fmt.Sscanf(text, "by %d", &by)
		require.NoError(t, err)
		require.True(t, allScopes()[by].Contains(target), "%v was written with the credentials of %v", target, allScopes()[by])
	}
}

// Each purpose allows only its operations, even inside its scope.
func TestPurposesAllowOnlyTheirOperations(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	for _, bucket := range []string{landing, raw} {
		putFile(t, bucketFor(t, bucket, rootCredentials()), s, "apart.txt", nil)
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
		root, ref := openFile(t, b, s, "apart.txt")
		_, err := readFile(t.Context(), root, ref)
		require3("read", c.reads, err)
		_, _, err = root.Stat(t.Context(), ref)
		require3("stat", c.reads, err)
		for _, e := range root.List(t.Context()) {
			err = e
			break
		}
		require3("list", c.reads, err)
		_, fresh := openFile(t, b, s, "apart-"+c.p.String()+".txt")
		_, _, err = root.Put(t.Context(), fresh, strings.NewReader("x"), nil)
		require3("put", c.writes, err)
		require3("delete", c.del, root.Delete(t.Context(), ref))
	}
	// No purpose allows operations on buckets or settings.
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

// signerFor returns a signer. It uses the credentials of one session for all grants.
func signerFor(t *testing.T, c aws.CredentialsProvider) *presign.Signer {
	t.Helper()
	signer, err := presign.New(s3Client(c), bucketFor(t, landing, rootCredentials()), nil)
	require.NoError(t, err)
	return signer
}

// A grant is signed without a request to S3. S3 denies it when it is used, unless
// the policy of the session allows it.
func TestSignerGrantsOnlyItsSession(t *testing.T) {
	for i, holder := range allScopes() {
		if holder.Level() != scope.SessionLevel {
			continue
		}
		signer := signerFor(t, newVendor(t).Provider(holder, credential.Signer))
		for _, target := range allScopes() {
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
			require.Equal(t, want, sendGrant(t, grant, body), "PUT: credentials of %v, at %v", holder, target)

			form, err := signer.Post(t.Context(), target, "form-"+name, &presign.PostOptions{Type: "image/png", MaxSize: 100})
			require.NoError(t, err)
			if holder != target { // versitygw also denies the own form: it checks the ARN of the bucket, S3 that of the object
				require.Equal(t, http.StatusForbidden, postForm(t, form, body), "POST: credentials of %v, at %v", holder, target)
			}

			_, _, err = signer.Arrived(t.Context(), target, name, nil) // the bucket has other credentials
			if want == http.StatusOK {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, presign.ErrNotArrived)
			}
		}
	}
}

func TestMultipartUploadsOnlyToItsSession(t *testing.T) {
	mine, other := u1s1, globexS
	signer := signerFor(t, newVendor(t).Provider(mine, credential.Signer))
	admin := signerFor(t, rootCredentials())
	body := []byte("the only part")
	o := &presign.MultipartOptions{Type: "image/png", Size: int64(len(body))}

	upload := func(s *presign.Signer, at scope.Scope, m presign.Multipart) (presign.Part, int) {
		grant, err := s.Part(t.Context(), at, m, 1, nil)
		require.NoError(t, err)
		res := doGrant(t, grant, body)
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
	require.NoError(t, admin.Complete(t.Context(), other, theirs, []presign.Part{part}), "the upload does not exist any more")
}

func TestAgentSignsDownloadsOnlyOfItsScope(t *testing.T) {
	fillBuckets(t, "download.txt")
	for _, holder := range allScopes() {
		signer := signerFor(t, newVendor(t).Provider(holder, credential.Agent))
		for _, target := range fileScopes() {
			_, ref := openFile(t, bucketFor(t, landing, rootCredentials()), target, "download.txt")
			grant, err := signer.Get(t.Context(), ref, nil)
			require.NoError(t, err)
			want := http.StatusForbidden
			if holder.Contains(target) {
				want = http.StatusOK
			}
			require.Equal(t, want, sendGrant(t, grant, nil), "credentials of %v, at %v", holder, target)
		}
	}
}

// The servers check the session itself, not only its policy.
func TestInvalidSessionsAreRejected(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	putFile(t, bucketFor(t, raw, rootCredentials()), s, "stale.txt", nil)
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
	require.Error(t, get(endedSession(t, s, credential.Agent)), "an expired session")
}
