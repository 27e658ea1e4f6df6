package presign

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Complete makes the object from all its parts, in their order. S3 checks the
// ETag and, with Multipart.Digests, the digest of each part, and the planned
// size of the whole. A part that was sent again with other bytes has another
// ETag, and Complete then returns ErrParts.
//
// Complete never replaces an object: it returns object.ErrExists if one exists,
// also if an earlier Complete made it. Concurrent Completes of one upload can
// all succeed; they make one object. After an error the object may exist, so
// call [Signer.Arrived].
//
// It returns ErrNoUpload if the upload has been aborted or was never created
// under this name, object.ErrConflict if another write was in flight (try
// again), object.ErrDenied and ErrInvalid.
func (s *Signer) Complete(ctx context.Context, session scope.Scope, m Multipart, parts []Part) (err error) {
	defer wrapError("complete", &err)
	root, ref, err := s.plannedRef(session, m)
	if err != nil {
		return err
	}
	if err := m.checkParts(parts); err != nil {
		return err
	}
	completed := make([]types.CompletedPart, len(parts))
	for i, p := range parts {
		completed[i] = types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.ETag)}
		if m.Digests {
			completed[i].ChecksumSHA256 = aws.String(encodeDigest(p.SHA256))
		}
	}
	// S3 answers a repeated Complete like the first one, despite If-None-Match.
	// The header still decides between two uploads of one name.
	switch _, _, err := root.Stat(ctx, ref); {
	case err == nil:
		return object.ErrExists
	case !errors.Is(err, object.ErrNotFound):
		return err
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return err
	}
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), UploadId: &m.ID,
		IfNoneMatch: aws.String("*"), MpuObjectSize: &m.Size, ExpectedBucketOwner: stringOrNil(s.owner),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: completed},
	})
	return mapError(err, true)
}

// Abort ends an upload without an object and frees its parts. A part that is in
// flight can outlive it; S3 advises to abort again then. It returns ErrNoUpload
// if the upload has ended.
func (s *Signer) Abort(ctx context.Context, session scope.Scope, m Multipart) (err error) {
	defer wrapError("abort", &err)
	_, ref, err := s.plannedRef(session, m)
	if err != nil {
		return err
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return err
	}
	_, err = client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), UploadId: &m.ID,
		ExpectedBucketOwner: stringOrNil(s.owner),
	})
	return mapError(err, false)
}
