package lock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	carrel "github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tools/approval"
)

func TestSignerCannotReplaceAnObject(t *testing.T) {
	s := must.Get(u1.NewSession())
	c := s3Client(newVendor(t).Provider(s, credential.Signer))
	put := func(name string, once *string) error {
		_, err := c.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(landing), Key: aws.String(s.Prefix() + name), Body: strings.NewReader("x"), IfNoneMatch: once,
		})
		return err
	}
	requireCode(t, put("once.txt", nil), "AccessDenied", "a PUT without If-None-Match")
	require.NoError(t, put("once.txt", aws.String("*")))
	requireCode(t, put("once.txt", nil), "AccessDenied", "an overwrite")
	requireCode(t, put("once.txt", aws.String("*")), "PreconditionFailed", "a second PUT")
	_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String(landing), Key: aws.String(s.Prefix() + "copy.txt"), CopySource: aws.String(landing + "/" + s.Prefix() + "once.txt"),
	})
	requireCode(t, err, "AccessDenied", "a copy")

	key := aws.String(s.Prefix() + "parts.txt")
	m, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(landing), Key: key})
	require.NoError(t, err)
	part, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: aws.String(landing), Key: key, UploadId: m.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	require.NoError(t, err)
	complete := func(once *string) error {
		_, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: aws.String(landing), Key: key, UploadId: m.UploadId, IfNoneMatch: once,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
		})
		return err
	}
	requireCode(t, complete(nil), "AccessDenied", "a Complete without If-None-Match")
	require.NoError(t, complete(aws.String("*")))

	// A form cannot have the header, so it needs a FormSigner.
	forms := s3Client(newVendor(t).Provider(s, credential.FormSigner))
	_, err = forms.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(landing), Key: key, Body: strings.NewReader("y")})
	require.NoError(t, err)
	_, err = forms.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(landing), Key: key})
	requireCode(t, err, "AccessDenied", "a FormSigner reads")
}

// backdatedSigner signs with a time in the past.
type backdatedSigner struct {
	*v4.Signer
	by time.Duration
}

func (e backdatedSigner) PresignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, at time.Time,
	o ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return e.Signer.PresignHTTP(ctx, c, r, hash, service, region, at.Add(-e.by), o...)
}

// S3 accepts a URL for up to seven days. The condition s3:signatureAge of the policy shortens that.
func TestOldSignatureIsDenied(t *testing.T) {
	s := must.Get(u1.NewSession())
	c := s3Client(newVendor(t).Provider(s, credential.Signer))
	for age, want := range map[time.Duration]int{
		time.Minute: http.StatusOK, time.Hour + time.Minute: http.StatusForbidden,
	} {
		p := s3.NewPresignClient(c, func(o *s3.PresignOptions) {
			o.Expires = 7 * 24 * time.Hour
			o.Presigner = backdatedSigner{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), age}
		})
		signed, err := p.PresignPutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(landing), Key: aws.String(s.Prefix() + age.String() + ".txt"), IfNoneMatch: aws.String("*"),
		})
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, bytes.NewReader([]byte("x")))
		require.NoError(t, err)
		req.Header = signed.SignedHeader
		require.Equal(t, want, doRequest(t, req).StatusCode, "%v", age)
	}
}

// A bucket and a table with the policy's names are denied if another account
// owns them.
func TestOtherAccountIsDenied(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	putFile(t, bucketFor(t, raw, rootCredentials()), s, "owned.txt", &carrel.PutOptions{Overwrite: true})
	root, ref := openFile(t, bucketFor(t, raw, vendor.Provider(s, credential.Agent)), s, "owned.txt")
	view := must.Get(tableFor(t, vendor.Provider(s, credential.Tracker)).In(s))
	do := func() (error, error) {
		_, _, object := root.Stat(t.Context(), ref)
		_, item := view.Get(t.Context(), "owned")
		return object, item
	}
	object, item := do()
	require.NoError(t, object)
	require.NotErrorIs(t, item, dynamo.ErrDenied)
	owner.Store(aws.String("999999999999"))
	defer owner.Store(aws.String(account))
	object, item = do()
	require.ErrorIs(t, object, carrel.ErrDenied)
	require.ErrorIs(t, item, dynamo.ErrDenied)
}

// Requests without TLS are denied.
func TestPlainTextIsDenied(t *testing.T) {
	provider := newVendor(t).Provider(u1s1, credential.Tracker)
	for endpoint, denied := range map[string]bool{world.gate: false, world.plain: true} {
		driver, err := dynamo.New(dynamodbClient(endpoint, provider), world.table, nil)
		require.NoError(t, err)
		_, err = must.Get(must.Get(table.New(driver, nil)).In(u1s1)).Get(t.Context(), "plain")
		require.Equal(t, denied, errors.Is(err, dynamo.ErrDenied), "%s: %v", endpoint, err)
	}
}

// A rejected upload is deleted with the credentials of an Agent and a Cleaner,
// but not with those of an Agent alone.
func TestCleanerDeletesRejectedUploads(t *testing.T) {
	s, vendor := must.Get(u1.NewSession()), newVendor(t)
	putFile(t, bucketFor(t, landing, rootCredentials()), s, "large.txt", nil)
	arrived := func(p credential.Purpose) *presign.RejectedError {
		signer, err := presign.New(s3Client(vendor.Provider(s, credential.Signer)), bucketFor(t, landing, vendor.Provider(s, p)), nil)
		require.NoError(t, err)
		_, _, err = signer.Arrived(t.Context(), s, "large.txt", &presign.ArrivedOptions{MaxSize: 1, DeleteRejected: true})
		rejected, ok := errors.AsType[*presign.RejectedError](err)
		require.True(t, ok, "%v", err)
		return rejected
	}
	rejected := arrived(credential.Agent)
	require.False(t, rejected.Deleted)
	require.ErrorIs(t, rejected.DeleteErr, carrel.ErrDenied)
	require.True(t, arrived(credential.Agent|credential.Cleaner).Deleted)

	other := bucketFor(t, landing, vendor.Provider(s, credential.Agent|credential.Cleaner))
	putFile(t, bucketFor(t, landing, rootCredentials()), globexS, "kept.txt", &carrel.PutOptions{Overwrite: true})
	root, ref := openFile(t, other, globexS, "kept.txt")
	require.ErrorIs(t, root.Delete(t.Context(), ref), carrel.ErrDenied)
}

// A tracker's credentials cannot read, request or decide an approval. An
// approver's can, in its own scope, but cannot access the records.
func TestTrackersCannotApprove(t *testing.T) {
	s, vendor := u1s1, newVendor(t)
	sum := sha256.Sum256([]byte("x"))
	id := hex.EncodeToString(sum[:])
	use := func(p credential.Purpose, holder, target scope.Scope) error {
		driver, err := dynamo.New(throughGate(vendor.Provider(holder, p)), world.approvals, nil)
		require.NoError(t, err)
		approvals, err := approval.New(must.Get(table.New(driver, nil)), nil)
		require.NoError(t, err)
		_, err = approvals.Decide(t.Context(), target, id, approval.Decision{Approve: true, By: "me"})
		return err
	}
	require.ErrorIs(t, use(credential.Tracker, s, s), dynamo.ErrDenied)
	require.ErrorIs(t, use(credential.Approver, s, globexS), dynamo.ErrDenied)
	require.ErrorIs(t, use(credential.Approver, s, u1s2), dynamo.ErrDenied)
	require.NotErrorIs(t, use(credential.Approver, s, s), dynamo.ErrDenied)

	tracker := must.Get(dynamo.New(throughGate(vendor.Provider(s, credential.Tracker)), world.approvals, nil))
	_, err := must.Get(must.Get(table.New(tracker, nil)).In(s)).Put(t.Context(), table.Item{Sort: "approval#" + id}, table.Absent())
	require.ErrorIs(t, err, dynamo.ErrDenied, "a tracker writes an approval")
	records := tableFor(t, vendor.Provider(s, credential.Approver))
	_, err = must.Get(records.In(s)).Get(t.Context(), "meta")
	require.ErrorIs(t, err, dynamo.ErrDenied)

	// A user and a tenant can each list only their own pending approvals.
	for _, holder := range []scope.Scope{u1, acme} {
		driver := must.Get(dynamo.New(throughGate(vendor.Provider(holder, credential.Approver)), world.approvals, nil))
		approvals := must.Get(approval.New(must.Get(table.New(driver, nil)), nil))
		for _, target := range []scope.Scope{u1, acme, globex} {
			_, err := approvals.List(t.Context(), target, nil)
			require.Equal(t, holder != target, errors.Is(err, dynamo.ErrDenied), "credentials of %v, at %v: %v", holder, target, err)
		}
	}
}
