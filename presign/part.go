package presign

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// PartOptions belong to the grant of one part.
type PartOptions struct {
	SHA256 []byte // 32 bytes, required where the plan has Digests and refused elsewhere

	// Expires is how long the grant is good for, in whole seconds, 1 s to 7
	// days. Default: Options.Expires.
	Expires time.Duration
}

// Part grants the upload of one part by a PUT of exactly its bytes' number, and
// of exactly its bytes where the plan has Digests. A part can be sent again
// until the grant expires or the upload has ended; what counts is the ETag
// that [Signer.Complete] is given.
//
// m is the plan as CreateMultipart returned it, with the ID that the client has
// sent. It calls S3 not at all: a wrong ID is refused when the part is sent.
//
// Errors: ErrInvalid, also for a number outside 1 to m.Parts(); otherwise as
// [Signer.Put].
func (s *Signer) Part(ctx context.Context, session scope.Scope, m Multipart, number int, o *PartOptions) (Grant, error) {
	g, err := s.part(ctx, session, m, number, o)
	if err != nil {
		return Grant{}, fmt.Errorf("presign: part: %w", err)
	}
	return g, nil
}

func (s *Signer) part(ctx context.Context, session scope.Scope, m Multipart, number int, o *PartOptions) (Grant, error) {
	_, ref, err := s.planned(session, m)
	if err != nil {
		return Grant{}, err
	}
	if number < 1 || number > m.Parts() {
		return Grant{}, invalid("part %d of %d", number, m.Parts())
	}
	opt := PartOptions{}
	if o != nil {
		opt = *o
	}
	if opt.Expires == 0 {
		opt.Expires = s.expires
	}
	if m.Digests != (opt.SHA256 != nil) {
		return Grant{}, invalid("the plan and the part differ on digests")
	}
	if err := checkDigest(opt.SHA256); err != nil {
		return Grant{}, err
	}
	if err := checkExpires(opt.Expires); err != nil {
		return Grant{}, err
	}
	client, err := s.choose(ctx, session)
	if err != nil {
		return Grant{}, err
	}
	size := m.length(number)
	in := &s3.UploadPartInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()),
		UploadId: &m.ID, PartNumber: aws.Int32(int32(number)), ContentLength: &size,
	}
	headers := []header{{"Content-Length", strconv.FormatInt(size, 10)}}
	if m.Digests {
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(opt.SHA256))
		headers = append(headers, header{"X-Amz-Checksum-Sha256", *in.ChecksumSHA256})
	}
	if s.owner != "" {
		in.ExpectedBucketOwner = &s.owner
		headers = append(headers, header{"X-Amz-Expected-Bucket-Owner", s.owner})
	}
	return s.grant(ctx, client, request{
		method: http.MethodPut, ref: ref, expires: opt.Expires, headers: headers, size: size,
		query: []header{{"uploadId", m.ID}, {"partNumber", strconv.Itoa(number)}},
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignUploadPart(ctx, in, o)
		},
	})
}

// planned names the object that m is to become in the session.
func (s *Signer) planned(session scope.Scope, m Multipart) (*object.Root, object.Ref, error) {
	root, ref, err := s.uploadRef(session, m.Name)
	if err != nil {
		return nil, object.Ref{}, err
	}
	if err := m.check(); err != nil {
		return nil, object.Ref{}, err
	}
	return root, ref, checkID(m.ID)
}
