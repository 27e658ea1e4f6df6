package presign

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope/object"
)

// Grant says all that a client has to send, and until when.
type Grant struct {
	URL    string
	Method string // "PUT" or "GET"

	// Headers the client must send, with exactly these values. Host and
	// Content-Length are signed as well and are not among them: every HTTP
	// client sends them by itself, from the URL and the body, and a browser
	// lets nobody set them. Content-Type a browser sets by itself only if
	// the script does not; the script must.
	Headers http.Header

	Size    int64     // the length that the body must have; 0 where it is not signed
	Bucket  string    // where the object lies
	Key     string    // and under which key
	Expires time.Time // UTC; from then on S3 refuses the URL
}

// header is one that the client has to send, with its one value.
type header struct{ name, value string }

// request is what a Signer asks the SDK to sign, and what must come of it.
type request struct {
	method  string
	ref     object.Ref
	expires time.Duration
	headers []header // in canonical form, each to be signed
	query   []header // to be in the URL, unescaped
	presign func(*s3.PresignClient, func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
	size    int64
}

// grant has r signed by c's credentials, and looks at what has been signed.
func (s *Signer) grant(ctx context.Context, c *s3.Client, r request) (Grant, error) {
	creds, err := credentials(ctx, s.provider(c))
	if err != nil {
		return Grant{}, err
	}
	expires := clamp(r.expires, creds)
	p := s.urls
	if p == nil {
		p = s.urlClient(c)
	}
	signed, err := r.presign(p, func(o *s3.PresignOptions) {
		o.Expires = expires
		if s.uploads != nil && r.method == http.MethodPut {
			o.Presigner = s.uploads
		}
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.Credentials = fixed(creds) })
	})
	if err != nil {
		return Grant{}, err
	}
	until, err := verify(signed, r, creds, expires)
	if err != nil {
		return Grant{}, err
	}
	headers := signed.SignedHeader
	headers.Del("Host")
	headers.Del("Content-Length")
	return Grant{
		URL: signed.URL, Method: signed.Method, Headers: headers, Size: r.size,
		Bucket: r.ref.Bucket(), Key: r.ref.Key(), Expires: until,
	}, nil
}

func (s *Signer) urlClient(c *s3.Client) *s3.PresignClient {
	return s3.NewPresignClient(c, func(o *s3.PresignOptions) { o.Presigner = s.signer })
}

// optional is nil for what is not to be sent.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
