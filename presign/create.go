package presign

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
)

// MultipartOptions say what will be uploaded in parts.
type MultipartOptions struct {
	Type string // media type of the object, required
	Size int64  // bytes of the whole, required, 1 to MaxMultipartSize

	// PartSize is how many bytes each part but the last has, MinPartSize to
	// MaxSize. Default: DefaultPartSize, or what MaxParts parts need, in full MiB.
	PartSize int64

	// Digests has each part signed with the SHA-256 of its bytes. Default: false.
	Digests bool
}

// CreateMultipart begins an upload in parts: for files over [MaxSize], or where
// a lost connection should not cost all that was sent. The object comes to be
// with [Signer.Complete], and only then; until [Signer.Abort], S3 charges for
// the parts, so give the bucket a lifecycle rule that ends incomplete uploads.
//
// It makes one request, by the session's own credentials.
//
// Errors: as [Signer.Put]; object.ErrDenied.
func (s *Signer) CreateMultipart(ctx context.Context, session scope.Scope, name string, o *MultipartOptions) (Multipart, error) {
	m, err := s.create(ctx, session, name, o)
	if err != nil {
		return Multipart{}, fmt.Errorf("presign: create multipart: %w", err)
	}
	return m, nil
}

func (s *Signer) create(ctx context.Context, session scope.Scope, name string, o *MultipartOptions) (Multipart, error) {
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Multipart{}, err
	}
	var opt MultipartOptions
	if o != nil {
		opt = *o
	}
	m := Multipart{Name: name, Type: opt.Type, Size: opt.Size, PartSize: opt.PartSize, Digests: opt.Digests}
	if m.PartSize == 0 {
		const mib = 1 << 20
		m.PartSize = max(DefaultPartSize, (m.Size/MaxParts+mib)/mib*mib)
	}
	if err := m.check(); err != nil {
		return Multipart{}, err
	}
	client, err := s.choose(ctx, session)
	if err != nil {
		return Multipart{}, err
	}
	in := &s3.CreateMultipartUploadInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), ContentType: &m.Type,
		ExpectedBucketOwner: optional(s.owner),
	}
	if m.Digests {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256
	}
	out, err := client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return Multipart{}, mapError(err)
	}
	m.ID = aws.ToString(out.UploadId)
	return m, checkID(m.ID)
}
