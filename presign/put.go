package presign

import (
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
)

// PutOptions say what may be uploaded.
type PutOptions struct {
	Type   string // media type, required: the client must send exactly this Content-Type
	Size   int64  // bytes, required, 1 to MaxSize: the client must send exactly so many
	SHA256 []byte // 32 bytes; default nil, not checked: the bytes must have this digest

	// Expires is how long the grant is good for, in whole seconds (a fraction
	// is cut off), 1 s to 7 days. Default: Options.Expires.
	Expires time.Duration

	// AllowUnsized lets Size and Type be absent. An absent value is not signed,
	// so the client may send any: call [Signer.Arrived] with a MaxSize and
	// DeleteRejected, or use [Signer.Post], which signs a range. An empty file
	// needs it, since a length of zero can't be signed. Default: false.
	AllowUnsized bool
}

// Put grants the upload of one file of a session, once: the request is refused
// with 412 if the object exists already. It calls S3 not at all, and AWS only
// where the credentials have to be refreshed.
//
// Errors: ErrInvalid; the errors of [scope.Scope.Key] for the name;
// scope.ErrDenied if session is not a session's scope; ErrExpiring; ErrUnsigned.
func (s *Signer) Put(ctx context.Context, session scope.Scope, name string, o *PutOptions) (Grant, error) {
	g, err := s.put(ctx, session, name, o)
	if err != nil {
		return Grant{}, fmt.Errorf("presign: put: %w", err)
	}
	return g, nil
}

func (s *Signer) put(ctx context.Context, session scope.Scope, name string, o *PutOptions) (Grant, error) {
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Grant{}, err
	}
	var opt PutOptions
	if o != nil {
		opt = *o
	}
	if opt.Expires == 0 {
		opt.Expires = s.expires
	}
	if err := opt.check(); err != nil {
		return Grant{}, err
	}
	client, err := s.choose(ctx, session)
	if err != nil {
		return Grant{}, err
	}
	in := &s3.PutObjectInput{Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), IfNoneMatch: aws.String("*")}
	headers := make([]header, 1, 5)
	headers[0] = header{"If-None-Match", "*"}
	if opt.Type != "" {
		in.ContentType = &opt.Type
		headers = append(headers, header{"Content-Type", opt.Type})
	}
	if opt.Size > 0 {
		in.ContentLength = &opt.Size
		headers = append(headers, header{"Content-Length", strconv.FormatInt(opt.Size, 10)})
	}
	if opt.SHA256 != nil {
		// The value alone: naming an algorithm as well would pin the digest of nothing.
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(opt.SHA256))
		headers = append(headers, header{"X-Amz-Checksum-Sha256", *in.ChecksumSHA256})
	}
	if s.owner != "" {
		in.ExpectedBucketOwner = &s.owner
		headers = append(headers, header{"X-Amz-Expected-Bucket-Owner", s.owner})
	}
	return s.grant(ctx, client, request{
		method: http.MethodPut, ref: ref, expires: opt.Expires, headers: headers, size: opt.Size,
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignPutObject(ctx, in, o)
		},
	})
}

func (o PutOptions) check() error {
	switch {
	case o.Type == "" && !o.AllowUnsized:
		return invalid("no media type")
	case o.Size == 0 && !o.AllowUnsized:
		return invalid("no size; a length of zero can't be signed")
	case o.Size < 0 || o.Size > MaxSize:
		return invalid("a size of %d bytes; 1 to %d are possible", o.Size, int64(MaxSize))
	case o.Type != "" && !validType(o.Type):
		return invalid("media type %.80q", o.Type)
	}
	if err := checkDigest(o.SHA256); err != nil {
		return err
	}
	return checkExpires(o.Expires)
}

func checkDigest(sum []byte) error {
	if sum != nil && len(sum) != 32 {
		return invalid("a SHA-256 of %d bytes", len(sum))
	}
	return nil
}

// validType accepts what RFC 9110, section 8.3.1 calls a media type, in
// visible ASCII and single spaces: signing folds runs of them.
func validType(t string) bool {
	if len(t) > 255 || strings.TrimSpace(t) != t || strings.Contains(t, "  ") {
		return false
	}
	for i := range len(t) {
		if t[i] < ' ' || t[i] >= 0x7f {
			return false
		}
	}
	base, _, err := mime.ParseMediaType(t)
	return err == nil && strings.Contains(base, "/")
}
