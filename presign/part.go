package presign

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// PartOptions configures the grant of one part.
type PartOptions struct {
	SHA256 []byte // digest of the part, 32 bytes; required with Multipart.Digests, otherwise must be nil

	// Expires is the life of the grant in whole seconds, 1 s to 7 days. Default:
	// Options.Expires.
	Expires time.Duration
}

// Part grants the upload of one part by a PUT of exactly its length and, with
// Multipart.Digests, exactly its bytes. A client can send a part again until the
// grant expires or the upload ends; [Signer.Complete] takes the ETag it receives.
//
// m is the plan from CreateMultipart, with the ID that the client sent. Part does
// not call S3: a wrong ID is rejected when the client sends the part.
//
// It returns ErrInvalid, also for a number outside 1 to m.Parts(), and the other
// errors of [Signer.Put].
func (s *Signer) Part(ctx context.Context, session scope.Scope, m Multipart, number int,
	o *PartOptions) (_ Grant, err error) {
	defer wrapError("part", &err)
	_, ref, err := s.plannedRef(session, m)
	if err != nil {
		return Grant{}, err
	}
	if number < 1 || number > m.Parts() {
		return Grant{}, invalidf("part number %d: must be 1 to %d", number, m.Parts())
	}
	opt := valueOf(o)
	opt.Expires = cmp.Or(opt.Expires, s.expires)
	if m.Digests != (opt.SHA256 != nil) {
		return Grant{}, invalidf("SHA-256: must be set if and only if the plan has digests")
	}
	if err := checkDigest(opt.SHA256); err != nil {
		return Grant{}, err
	}
	if err := checkExpires(opt.Expires); err != nil {
		return Grant{}, err
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return Grant{}, err
	}
	size, digest := m.partLength(number), encodeDigest(opt.SHA256)
	in := &s3.UploadPartInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()),
		UploadId: &m.ID, PartNumber: aws.Int32(int32(number)), ContentLength: &size,
		ChecksumSHA256: stringOrNil(digest), ExpectedBucketOwner: stringOrNil(s.owner),
	}
	return s.signRequest(ctx, client, request{
		method: http.MethodPut, ref: ref, expires: opt.Expires, size: size,
		headers: []header{
			{"Content-Length", formatSize(size)}, {"X-Amz-Checksum-Sha256", digest}, {"X-Amz-Expected-Bucket-Owner", s.owner},
		},
		query: []header{{"uploadId", m.ID}, {"partNumber", strconv.Itoa(number)}},
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignUploadPart(ctx, in, o)
		},
	})
}

// plannedRef returns the Ref of the object that m makes in the session.
func (s *Signer) plannedRef(session scope.Scope, m Multipart) (*object.Root, object.Ref, error) {
	root, ref, err := s.uploadRef(session, m.Name)
	if err != nil {
		return nil, object.Ref{}, err
	}
	if err := m.check(); err != nil {
		return nil, object.Ref{}, err
	}
	return root, ref, checkUploadID(m.ID)
}
