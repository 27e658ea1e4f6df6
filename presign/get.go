package presign

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const octetStream = "application/octet-stream"

// GetOptions say how a download is served. Nil is valid.
type GetOptions struct {
	// Name is what the browser saves the file as; the rules are those of
	// [scope.Scope.Key]. Default: the Ref's name.
	Name string

	// Type is the object's media type, as [object.Info] has it. It is served so
	// where Options.Types has it, and as application/octet-stream otherwise.
	// Default: application/octet-stream.
	Type string

	// Inline lets the browser show the file in place of saving it. It takes a
	// Type that Options.Types has: ErrInvalid for any other. Default: false.
	Inline bool

	// Expires is how long the grant is good for, in whole seconds, 1 s to 7
	// days. Default: Options.Expires.
	Expires time.Duration
}

// Get grants the download of one object. The answer carries a disposition
// after RFC 6266, attachment unless Inline is set, and a media type of the
// signer's choice, whatever the uploader has declared: both are signed.
//
// A pinned Ref grants those bytes and no others. A version is part of the URL.
// An ETag is a header, If-Match, which the client has to send (412 if the
// object has changed); a browser that follows a link sends none, so for a link
// into a bucket without versions pass [object.Ref.Unpinned].
//
// The Ref says whose object it is, and only a Root makes one: the caller has
// shown the right to it. It is not looked up, so a grant can be made for what is
// not there; S3 then answers 404 or 403.
//
// Errors: ErrInvalid; object.ErrOutside for a Ref of another bucket;
// ErrExpiring; ErrUnsigned.
func (s *Signer) Get(ctx context.Context, f object.Ref, o *GetOptions) (Grant, error) {
	g, err := s.get(ctx, f, o)
	if err != nil {
		return Grant{}, fmt.Errorf("presign: get: %w", err)
	}
	return g, nil
}

func (s *Signer) get(ctx context.Context, f object.Ref, o *GetOptions) (Grant, error) {
	if f.IsZero() || f.Bucket() != s.bucket.Name() {
		return Grant{}, object.ErrOutside
	}
	var opt GetOptions
	if o != nil {
		opt = *o
	}
	if opt.Expires == 0 {
		opt.Expires = s.expires
	}
	if opt.Name == "" {
		opt.Name = f.Name()
	}
	if err := opt.check(f.Scope(), s.types); err != nil {
		return Grant{}, err
	}
	kind := "attachment"
	if opt.Inline {
		kind = "inline"
	}
	client, err := s.choose(ctx, f.Scope())
	if err != nil {
		return Grant{}, err
	}
	in := &s3.GetObjectInput{
		Bucket:                     aws.String(f.Bucket()),
		Key:                        aws.String(f.Key()),
		VersionId:                  optional(f.Version()),
		IfMatch:                    optional(f.ETag()),
		ResponseContentType:        aws.String(served(opt.Type, s.types)),
		ResponseContentDisposition: aws.String(disposition(kind, opt.Name)),
	}
	r := request{
		method: http.MethodGet, ref: f, expires: opt.Expires,
		query: []header{
			{"response-content-type", *in.ResponseContentType},
			{"response-content-disposition", *in.ResponseContentDisposition},
		},
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignGetObject(ctx, in, o)
		},
	}
	if f.ETag() != "" {
		r.headers = []header{{"If-Match", f.ETag()}}
	}
	if f.Version() != "" {
		r.query = append(r.query, header{"versionId", f.Version()})
	}
	return s.grant(ctx, client, r)
}

func (o GetOptions) check(s scope.Scope, allowed []string) error {
	if _, err := s.Key(o.Name); err != nil {
		return err
	}
	switch {
	case o.Type != "" && !validType(o.Type):
		return invalid("media type %.80q", o.Type)
	case o.Inline && served(o.Type, allowed) != o.Type:
		return invalid("media type %.80q is not allowed inline", o.Type)
	}
	return checkExpires(o.Expires)
}

// served returns the media type that an object of type t is served as. Its
// parameters are kept: text/plain without its charset would be misread.
func served(t string, allowed []string) string {
	base, _, err := mime.ParseMediaType(t)
	if err == nil && slices.Contains(allowed, base) {
		return t
	}
	return octetStream
}

// disposition writes Content-Disposition after RFC 6266: a name in ASCII for
// clients that know no other, and, where it says less, the name itself in the
// form of RFC 8187. The name has passed scope's rules: it has no control
// characters, separators or percent signs.
func disposition(kind, name string) string {
	var plain, ext strings.Builder
	exact := true
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == '"':
			plain.WriteString(`\"`)
			exact = false // some clients take the backslash for a part of the name
		case r < utf8.RuneSelf:
			plain.WriteByte(name[i])
		default:
			plain.WriteByte('_')
			exact = false
		}
		for _, c := range []byte(name[i : i+n]) {
			if attrChar(c) {
				ext.WriteByte(c)
			} else {
				fmt.Fprintf(&ext, "%%%02X", c)
			}
		}
		i += n
	}
	d := kind + `; filename="` + plain.String() + `"`
	if !exact {
		d += "; filename*=UTF-8''" + ext.String()
	}
	return d
}

// attrChar is attr-char of RFC 8187, section 3.2.1.
func attrChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0
}
