package presign

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
)

// MultipartOptions describes a file that will be uploaded in parts.
type MultipartOptions struct {
	Type string // media type of the object, required
	Size int64  // bytes of the whole object, required, 1 byte to 5 TiB

	// PartSize is the size of each part but the last in bytes, 5 MiB to MaxSize.
	// Default: 64 MiB, or more if the file would need over 10,000 parts.
	PartSize int64

	// Digests signs each part with the SHA-256 of its bytes. Default: false.
	Digests bool
}

// CreateMultipart starts an upload in parts, for files over [MaxSize] or for
// clients that should be able to resume. [Signer.Complete] makes the object. S3
// charges for the parts until Complete or [Signer.Abort], so give the bucket a
// lifecycle rule that aborts incomplete uploads.
//
// It makes one request, with the session's own credentials. It returns the
// errors of [Signer.Put], and object.ErrDenied.
func (s *Signer) CreateMultipart(ctx context.Context, session scope.Scope, name string,
	o *MultipartOptions) (_ Multipart, err error) {
	defer wrapError("create multipart", &err)
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Multipart{}, err
	}
	opt := valueOf(o)
	m := Multipart{Name: name, Type: opt.Type, Size: opt.Size, PartSize: opt.PartSize, Digests: opt.Digests}
	if m.PartSize == 0 {
		const mib = 1 << 20
		m.PartSize = max(defaultPartSize, (m.Size/maxParts+mib)/mib*mib)
	}
	if err := m.check(); err != nil {
		return Multipart{}, err
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return Multipart{}, err
	}
	in := &s3.CreateMultipartUploadInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), ContentType: &m.Type,
		ExpectedBucketOwner: stringOrNil(s.owner),
	}
	if m.Digests {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256
	}
	out, err := client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return Multipart{}, mapError(err, false)
	}
	m.ID = aws.ToString(out.UploadId)
	if err := checkUploadID(m.ID); err != nil {
		return Multipart{}, err
	}
	return m, nil
}
