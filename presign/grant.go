package presign

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope/object"
)

// Grant is a signed request for a client to send. Its JSON form is
//
//	{
//	  "url": "https://bucket.s3.eu-central-1.amazonaws.com/tenant%3D…&X-Amz-Signature=…",
//	  "method": "PUT",
//	  "headers": {"Content-Type": "image/jpeg", "If-None-Match": "*"},
//	  "size": 48213,
//	  "bucket": "bucket",
//	  "key": "tenant=…/cover.jpg",
//	  "expires_at": "2026-01-02T03:04:05Z"
//	}
//
// so a page can call fetch(g.url, {method: g.method, headers: g.headers, body: file}).
type Grant struct {
	URL    string `json:"url"`
	Method string `json:"method"` // "PUT" or "GET"

	// Headers that the client must send, by canonical name, with exactly these
	// values. Host and Content-Length are signed too; HTTP clients send them by
	// themselves. A browser chooses its own Content-Type unless the script sets it.
	Headers map[string]string `json:"headers"`

	Size    int64     `json:"size,omitempty"` // length of the body in bytes; 0 if it is not signed
	Bucket  string    `json:"bucket"`
	Key     string    `json:"key"`
	Expires time.Time `json:"expires_at"` // UTC; from then on S3 rejects the URL
}

// header is a name with its one value.
type header struct{ name, value string }

// request is a request for the SDK to sign, and the properties that the signed
// one must have.
type request struct {
	method  string
	ref     object.Ref
	expires time.Duration
	headers []header // canonical names; each must be signed, unless its value is ""
	query   []header // unescaped; each must be in the URL, unless its value is ""
	presign func(*s3.PresignClient, func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
	size    int64
}

// signRequest signs r with c's credentials and verifies the result.
func (s *Signer) signRequest(ctx context.Context, c *s3.Client, r request) (Grant, error) {
	isAbsent := func(h header) bool { return h.value == "" }
	r.headers, r.query = slices.DeleteFunc(r.headers, isAbsent), slices.DeleteFunc(r.query, isAbsent)
	creds, err := fetchCredentials(ctx, s.credentialsOf(c))
	if err != nil {
		return Grant{}, err
	}
	expires := clampExpiry(r.expires, creds)
	p := s.urls
	if p == nil {
		p = s.newURLClient(c)
	}
	signed, err := r.presign(p, func(o *s3.PresignOptions) {
		o.Expires = expires
		if s.uploads != nil && r.method == http.MethodPut {
			o.Presigner = s.uploads
		}
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.Credentials = staticProvider(creds) })
	})
	if err != nil {
		return Grant{}, err
	}
	end, err := verifyURL(signed, r, creds, expires)
	if err != nil {
		return Grant{}, err
	}
	headers := make(map[string]string, len(r.headers))
	for _, h := range r.headers {
		if h.name != "Content-Length" {
			headers[h.name] = h.value
		}
	}
	return Grant{
		URL: signed.URL, Method: signed.Method, Headers: headers, Size: r.size,
		Bucket: r.ref.Bucket(), Key: r.ref.Key(), Expires: end,
	}, nil
}

func (s *Signer) newURLClient(c *s3.Client) *s3.PresignClient {
	return s3.NewPresignClient(c, func(o *s3.PresignOptions) { o.Presigner = s.signer })
}

// stringOrNil returns nil for "", which the SDK does not send.
func stringOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}

// valueOf returns *o, or the zero value if o is nil.
func valueOf[T any](o *T) (v T) {
	if o != nil {
		v = *o
	}
	return v
}
