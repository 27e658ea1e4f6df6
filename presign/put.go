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

	// AllowUnsized lets Size and Type be absent. What is absent is not signed,
	// so the client may send any: use Arrived with a MaxSize. An empty file can
	// be uploaded only so, since a length of zero can't be signed. Default: false.
	AllowUnsized bool
}

// Grant says all that a client has to send, and until when.
type Grant struct {
	URL    string
	Method string // "PUT"

	// Headers the client must send, with exactly these values. Host and
	// Content-Length are signed as well and are not among them: every HTTP
	// client sends them by itself, from the URL and the body, and a browser
	// lets nobody set them. Content-Type a browser sets by itself only if
	// the script does not; the script must.
	Headers http.Header

	Size    int64     // the length that the body must have; 0 where it is not signed
	Bucket  string    // where the object will lie
	Key     string    // and under which key
	Expires time.Time // UTC; from then on S3 refuses the URL
}

// Put grants the upload of one file of a session, once: the request is refused
// with 412 if the object exists already. It calls S3 not at all, and AWS only
// where the credentials have to be refreshed.
//
// Errors: ErrInvalid; the errors of [scope.Scope.Key] for the name;
// scope.ErrLevel for what is no session; ErrExpiring; ErrUnsigned.
func (s *Signer) Put(ctx context.Context, session scope.Scope, name string, o *PutOptions) (Grant, error) {
	g, err := s.put(ctx, session, name, o)
	if err != nil {
		return Grant{}, fmt.Errorf("presign: put: %w", err)
	}
	return g, nil
}

func (s *Signer) put(ctx context.Context, session scope.Scope, name string, o *PutOptions) (Grant, error) {
	_, ref, err := s.ref(session, name)
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
	creds, err := credentials(ctx, client)
	if err != nil {
		return Grant{}, err
	}

	in := &s3.PutObjectInput{Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key()), IfNoneMatch: aws.String("*")}
	want := http.Header{"If-None-Match": {"*"}}
	if opt.Type != "" {
		in.ContentType = &opt.Type
		want.Set("Content-Type", opt.Type)
	}
	if opt.Size > 0 {
		in.ContentLength = &opt.Size
		want.Set("Content-Length", strconv.FormatInt(opt.Size, 10))
	}
	if opt.SHA256 != nil {
		// The value alone: naming an algorithm as well would pin the digest of nothing.
		in.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(opt.SHA256))
		want.Set("X-Amz-Checksum-Sha256", *in.ChecksumSHA256)
	}
	expires := clamp(opt.Expires, creds)
	signed, err := s3.NewPresignClient(client).PresignPutObject(ctx, in, s3.WithPresignExpires(expires),
		s3.WithPresignClientFromClientOptions(func(o *s3.Options) { o.Credentials = fixed(creds) }))
	if err != nil {
		return Grant{}, err
	}
	until, err := verify(signed, want, ref.Key(), creds, expires)
	if err != nil {
		return Grant{}, err
	}
	headers := signed.SignedHeader.Clone()
	headers.Del("Host")
	headers.Del("Content-Length")
	return Grant{
		URL: signed.URL, Method: signed.Method, Headers: headers, Size: opt.Size,
		Bucket: ref.Bucket(), Key: ref.Key(), Expires: until,
	}, nil
}

func (o PutOptions) check() error {
	switch {
	case o.Type == "" && !o.AllowUnsized:
		return invalid("no media type")
	case o.Size == 0 && !o.AllowUnsized:
		return invalid("no size; a length of zero can't be signed")
	case o.Size < 0 || o.Size > MaxSize:
		return invalid("a size of %d bytes; 1 to %d are possible", o.Size, int64(MaxSize))
	case o.SHA256 != nil && len(o.SHA256) != 32:
		return invalid("a SHA-256 of %d bytes", len(o.SHA256))
	case o.Type != "" && !validType(o.Type):
		return invalid("media type %.80q", o.Type)
	}
	return checkExpires(o.Expires)
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
