package presign

import (
	"cmp"
	"context"
	"encoding/base64"
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

// PutOptions describes the file that may be uploaded.
type PutOptions struct {
	Type   string // media type, required; the client must send exactly this Content-Type
	Size   int64  // length in bytes, required, 1 to MaxSize; the client must send exactly that many
	SHA256 []byte // digest of the bytes, 32 bytes; if nil, the digest is not signed

	// Expires is the life of the grant in whole seconds (a fraction is cut off),
	// 1 s to 7 days. Default: Options.Expires.
	Expires time.Duration

	// AllowUnsized lets Size and Type be absent. An absent value is not signed,
	// so the client may send any. Call [Signer.Arrived] with a MaxSize and
	// DeleteRejected, or use [Signer.Post], which signs a range. An empty file
	// needs AllowUnsized, since S3 can't sign a length of zero. Default: false.
	AllowUnsized bool
}

// Put grants one upload of one file of a session. S3 answers 412 if the object
// exists. Put does not call S3; it calls AWS only to refresh credentials.
//
// It returns ErrInvalid, the errors of [scope.Scope.Key] for the name,
// scope.ErrLevel or scope.ErrDenied if session is not the scope of a session,
// ErrExpiring, the wrapped errors of Options.For, and an error if the SDK did not sign
// all that the grant promises.
func (s *Signer) Put(ctx context.Context, session scope.Scope, name string, o *PutOptions) (_ Grant, err error) {
	defer wrapError("put", &err)
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Grant{}, err
	}
	opt := valueOf(o)
	opt.Expires = cmp.Or(opt.Expires, s.expires)
	if err := opt.check(); err != nil {
		return Grant{}, err
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return Grant{}, err
	}
	digest := encodeDigest(opt.SHA256)
	in := &s3.PutObjectInput{
		Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), IfNoneMatch: aws.String("*"),
		ContentType: stringOrNil(opt.Type), ExpectedBucketOwner: stringOrNil(s.owner),
		ChecksumSHA256: stringOrNil(digest), // with an algorithm, the SDK would sign the digest of an empty body
	}
	if opt.Size > 0 {
		in.ContentLength = &opt.Size
	}
	return s.signRequest(ctx, client, request{
		method: http.MethodPut, ref: ref, expires: opt.Expires, size: opt.Size,
		headers: []header{
			{"If-None-Match", "*"}, {"Content-Type", opt.Type}, {"Content-Length", formatSize(opt.Size)},
			{"X-Amz-Checksum-Sha256", digest}, {"X-Amz-Expected-Bucket-Owner", s.owner},
		},
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignPutObject(ctx, in, o)
		},
	})
}

func (o PutOptions) check() error {
	if o.Type != "" || !o.AllowUnsized {
		if err := checkType(o.Type); err != nil {
			return err
		}
	}
	if o.Size < 0 || o.Size > MaxSize || o.Size == 0 && !o.AllowUnsized {
		return invalidf("size %d: must be 1 to %d bytes, or absent with AllowUnsized", o.Size, int64(MaxSize))
	}
	if err := checkDigest(o.SHA256); err != nil {
		return err
	}
	return checkExpires(o.Expires)
}

// formatSize returns the Content-Length to sign, or "" for none.
func formatSize(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func encodeDigest(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

func checkDigest(sum []byte) error {
	if sum != nil && len(sum) != 32 {
		return invalidf("SHA-256 of %d bytes: must be 32 bytes", len(sum))
	}
	return nil
}

// checkType accepts a media type after RFC 9110, section 8.3.1, in visible ASCII
// and single spaces: signing folds runs of spaces.
func checkType(t string) error {
	valid := len(t) <= 255 && strings.TrimSpace(t) == t && !strings.Contains(t, "  ") &&
		!strings.ContainsFunc(t, func(c rune) bool { return c < ' ' || c >= 0x7f })
	base, _, err := mime.ParseMediaType(t)
	if !valid || err != nil || !strings.Contains(base, "/") {
		return invalidf("media type %.80q: must be like image/jpeg", t)
	}
	return nil
}
