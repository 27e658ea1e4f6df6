package presign

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
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

// GetOptions configures a download. Nil is valid.
type GetOptions struct {
	// Name is the file name that the browser saves, by the rules of
	// [scope.Scope.Key]. Default: the Ref's name.
	Name string

	// Type is the object's media type, as in [object.Info]. S3 serves the object
	// with it if Options.Types contains it, and otherwise, also by default, as
	// application/octet-stream.
	Type string

	// Inline lets the browser show the file instead of saving it. Type must then
	// be in Options.Types. Default: false.
	Inline bool

	// Expires is the life of the grant in whole seconds, 1 s to 7 days. Default:
	// Options.Expires.
	Expires time.Duration
}

// Get grants the download of one object. The response has a Content-Disposition
// after RFC 6266, attachment unless Inline is set, and the media type of o,
// whatever type the uploader declared. Both are signed.
//
// A pinned Ref grants exactly those bytes. A version is part of the URL. An ETag
// is an If-Match header that the client must send (412 if the object has
// changed). A browser that follows a link does not send it, so pass
// [object.Ref.Unpinned] for a link into a bucket without versions.
//
// Only a Root makes a Ref, so the caller has shown its right to the object. Get
// does not look the object up; S3 answers 404 or 403 if it does not exist.
//
// It returns ErrInvalid, object.ErrOutside for a Ref of another bucket,
// and the other errors of [Signer.Put].
func (s *Signer) Get(ctx context.Context, f object.Ref, o *GetOptions) (_ Grant, err error) {
	defer wrapError("get", &err)
	if f.IsZero() || f.Bucket() != s.bucket.Name() {
		s.reportRefusal(ctx, "presign.Get",
			fmt.Errorf("presign: get: %q in bucket %q: %w", f.Key(), f.Bucket(), object.ErrOutside))
		return Grant{}, object.ErrOutside
	}
	opt := valueOf(o)
	opt.Expires = cmp.Or(opt.Expires, s.expires)
	opt.Name = cmp.Or(opt.Name, f.Name())
	if err := opt.check(f.Scope(), s.types); err != nil {
		return Grant{}, err
	}
	kind := "attachment"
	if opt.Inline {
		kind = "inline"
	}
	client, err := s.chooseClient(ctx, f.Scope())
	if err != nil {
		return Grant{}, err
	}
	in := &s3.GetObjectInput{
		Bucket:                     aws.String(f.Bucket()),
		Key:                        aws.String(f.Key()),
		VersionId:                  stringOrNil(f.Version()),
		IfMatch:                    stringOrNil(f.ETag()),
		ResponseContentType:        aws.String(servedType(opt.Type, s.types)),
		ResponseContentDisposition: aws.String(formatDisposition(kind, opt.Name)),
	}
	return s.signRequest(ctx, client, request{
		method: http.MethodGet, ref: f, expires: opt.Expires,
		headers: []header{{"If-Match", f.ETag()}},
		query: []header{
			{"response-content-type", *in.ResponseContentType},
			{"response-content-disposition", *in.ResponseContentDisposition},
			{"versionId", f.Version()},
		},
		presign: func(p *s3.PresignClient, o func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error) {
			return p.PresignGetObject(ctx, in, o)
		},
	})
}

func (o GetOptions) check(s scope.Scope, allowed []string) error {
	if _, err := s.Key(o.Name); err != nil {
		return err
	}
	if o.Type != "" {
		if err := checkType(o.Type); err != nil {
			return err
		}
	}
	if o.Inline && servedType(o.Type, allowed) != o.Type {
		return invalidf("inline media type %.80q: must be in Options.Types", o.Type)
	}
	return checkExpires(o.Expires)
}

// servedType returns the media type that an object of type t is served as. It
// keeps parameters: text/plain without its charset would be misread.
func servedType(t string, allowed []string) string {
	base, _, err := mime.ParseMediaType(t)
	if err == nil && slices.Contains(allowed, base) {
		return t
	}
	return octetStream
}

// formatDisposition returns a Content-Disposition after RFC 6266: an ASCII name
// for old clients and, if it differs, the full name in the encoding of RFC 8187.
// The name has passed scope's rules, which exclude control characters,
// separators and percent signs.
func formatDisposition(kind, name string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '_'
		}
		return r
	}, name)
	d := kind + `; filename="` + strings.ReplaceAll(plain, `"`, `\"`) + `"`
	if plain != name || strings.Contains(name, `"`) { // some clients keep the backslash
		d += "; filename*=UTF-8''" + strings.NewReplacer("+", "%20", "%2B", "+").Replace(url.QueryEscape(name))
	}
	return d
}
