package presign

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// Complete makes the object of its parts, all of them and in their order. It is
// write-once: where the object exists already, whether by an earlier Complete or
// in another way, it is refused. (Of one upload's Completes that run at the
// same time, more than one may be told that it has succeeded; they make one
// object.) S3 checks each part's ETag, and digest where there is one, and that
// together they have the planned size.
//
// A part that was sent again in the meantime has another ETag if its bytes
// differ, and Complete answers ErrParts. What has come to be is for
// [Signer.Arrived] to prove and to pin, also after an error that says nothing
// of the outcome, and after an ErrExists that may be the echo of one's own.
//
// Errors: object.ErrExists; ErrNoUpload (aborted already, or never begun under
// this name); ErrParts; object.ErrConflict (another write was under
// way: try again); object.ErrDenied; ErrInvalid.
func (s *Signer) Complete(ctx context.Context, session scope.Scope, m Multipart, parts []Part) error {
	if err := s.complete(ctx, session, m, parts); err != nil {
		return fmt.Errorf("presign: complete: %w", err)
	}
	return nil
}

func (s *Signer) complete(ctx context.Context, session scope.Scope, m Multipart, parts []Part) error {
	root, ref, err := s.planned(session, m)
	if err != nil {
		return err
	}
	if err := m.checkParts(parts); err != nil {
		return err
	}
	done := make([]types.CompletedPart, len(parts))
	for i, p := range parts {
		done[i] = types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.ETag)}
		if m.Digests {
			done[i].ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(p.SHA256))
		}
	}
	// S3 answers the repetition of a Complete as it did the first, precondition or
	// not. If-None-Match still decides between two uploads at once.
	switch _, _, err := root.Stat(ctx, ref); {
	case err == nil:
		return object.ErrExists
	case !errors.Is(err, object.ErrNotFound):
		return err
	}
	client, err := s.choose(ctx, session)
	if err != nil {
		return err
	}
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), UploadId: &m.ID,
		IfNoneMatch: aws.String("*"), MpuObjectSize: &m.Size, ExpectedBucketOwner: optional(s.owner),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	return mapParts(mapError(err))
}

// Abort ends an upload without an object, and frees its parts. A part that is
// being sent meanwhile can outlive it; S3 advises to abort again then.
// ErrNoUpload where it has ended already.
func (s *Signer) Abort(ctx context.Context, session scope.Scope, m Multipart) error {
	_, ref, err := s.planned(session, m)
	if err != nil {
		return fmt.Errorf("presign: abort: %w", err)
	}
	client, err := s.choose(ctx, session)
	if err == nil {
		_, err = client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), UploadId: &m.ID, ExpectedBucketOwner: optional(s.owner),
		})
		err = mapError(err)
	}
	if err != nil {
		return fmt.Errorf("presign: abort: %w", err)
	}
	return nil
}
