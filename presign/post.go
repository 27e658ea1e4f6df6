package presign

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
)

// PostOptions describes the file that may be uploaded by a form.
type PostOptions struct {
	Type    string // media type, required; the form must carry exactly this Content-Type
	MinSize int64  // smallest length in bytes; zero accepts an empty file
	MaxSize int64  // largest length in bytes, required, 1 to the package's MaxSize
	SHA256  []byte // digest of the bytes, 32 bytes; if nil, the digest is not signed

	// Expires is the life of the form in whole seconds, 1 s to 7 days. Default:
	// Options.Expires.
	Expires time.Duration
}

// Form is a signed HTML form. The client sends a POST of multipart/form-data
// (RFC 7578) with each of Fields and, last, the file in a field named "file". Its
// JSON form is
//
//	{
//	  "url": "https://bucket.s3.eu-central-1.amazonaws.com",
//	  "fields": {"Content-Type": "image/jpeg", "key": "tenant=…/cover.jpg", "policy": "…"},
//	  "min_size": 1,
//	  "max_size": 20971520,
//	  "bucket": "bucket",
//	  "key": "tenant=…/cover.jpg",
//	  "expires_at": "2026-01-02T03:04:05Z"
//	}
type Form struct {
	URL    string            `json:"url"`
	Fields map[string]string `json:"fields"` // send all of them unchanged, and no others

	MinSize int64     `json:"min_size"` // bytes
	MaxSize int64     `json:"max_size"` // bytes
	Bucket  string    `json:"bucket"`
	Key     string    `json:"key"`
	Expires time.Time `json:"expires_at"` // UTC; from then on S3 rejects the form
}

// Post grants the upload of one file of a session by a form, for a file whose
// length lies in a range. S3 enforces the key, the media type, the range and, if
// set, the digest. If the length is known, use [Signer.Put].
//
// A form can't carry If-None-Match. Until it expires, a client can send it again
// and replace the object. Read through the Ref that [Signer.Arrived] returns, and
// use a new session for each form. The credentials must allow a PUT without
// If-None-Match, as credential.FormSigner does and credential.Signer does not.
//
// It returns the errors of [Signer.Put].
func (s *Signer) Post(ctx context.Context, session scope.Scope, name string, o *PostOptions) (_ Form, err error) {
	defer wrapError("post", &err)
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Form{}, err
	}
	opt := valueOf(o)
	opt.Expires = cmp.Or(opt.Expires, s.expires)
	if err := opt.check(); err != nil {
		return Form{}, err
	}
	if strings.Contains(name, "${filename}") {
		return Form{}, invalidf("name %.80q: S3 would replace ${filename} with the client's file name", name)
	}
	client, err := s.chooseClient(ctx, session)
	if err != nil {
		return Form{}, err
	}
	creds, err := fetchCredentials(ctx, s.credentialsOf(client))
	if err != nil {
		return Form{}, err
	}

	fields := []header{{"Content-Type", opt.Type}}
	if opt.SHA256 != nil {
		fields = append(fields,
			header{"x-amz-checksum-algorithm", "SHA256"},
			header{"x-amz-checksum-sha256", encodeDigest(opt.SHA256)})
	}
	conditions := []any{[]any{"content-length-range", opt.MinSize, opt.MaxSize}}
	for _, f := range fields {
		conditions = append(conditions, map[string]string{f.name: f.value})
	}
	expires := clampExpiry(opt.Expires, creds)
	p := s.forms
	if p == nil {
		p = newFormClient(client)
	}
	signed, err := p.PresignPostObject(context.WithValue(ctx, contextProvider{}, creds),
		&s3.PutObjectInput{Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key())},
		func(o *s3.PresignPostOptions) { o.Expires, o.Conditions = expires, conditions })
	if err != nil {
		return Form{}, err
	}
	for _, f := range fields {
		signed.Values[f.name] = f.value
	}
	end, err := verifyForm(signed, formPolicy{ref: ref, fields: fields, min: opt.MinSize, max: opt.MaxSize}, creds,
		expires)
	if err != nil {
		return Form{}, err
	}
	return Form{
		URL: signed.URL, Fields: signed.Values, MinSize: opt.MinSize, MaxSize: opt.MaxSize,
		Bucket: ref.Bucket(), Key: ref.Key(), Expires: end,
	}, nil
}

// newFormClient returns a client that signs with the credentials in the context.
// The options of a single form can't set them, and a client for each form is slow.
// The provider for directory buckets belongs to one client: s3.New sets the new
// client and its credentials in it, also in a provider that c uses at that time.
func newFormClient(c *s3.Client) *s3.PresignClient {
	return s3.NewPresignClient(c, s3.WithPresignClientFromClientOptions(func(o *s3.Options) {
		o.Credentials, o.ExpressCredentials = contextProvider{}, nil
	}))
}

func (o PostOptions) check() error {
	if err := checkType(o.Type); err != nil {
		return err
	}
	switch {
	case o.MaxSize < 1 || o.MaxSize > MaxSize:
		return invalidf("MaxSize %d: must be 1 to %d bytes", o.MaxSize, int64(MaxSize))
	case o.MinSize < 0 || o.MinSize > o.MaxSize:
		return invalidf("MinSize %d: must be 0 to MaxSize, %d bytes", o.MinSize, o.MaxSize)
	}
	if err := checkDigest(o.SHA256); err != nil {
		return err
	}
	return checkExpires(o.Expires)
}
