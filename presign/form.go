package presign

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
)

// PostOptions say what may be uploaded by a form.
type PostOptions struct {
	Type    string // media type, required: the form must carry exactly this Content-Type
	MinSize int64  // bytes; default 0: an empty file may be sent
	MaxSize int64  // bytes, required, 1 to MaxSize of the package
	SHA256  []byte // 32 bytes; default nil, not checked: the bytes must have this digest

	// Expires is how long the form is good for, in whole seconds, 1 s to 7
	// days. Default: Options.Expires.
	Expires time.Duration
}

// Form is a grant to upload by an HTML form: a POST of multipart/form-data
// (RFC 7578) with each of Fields, and last the file itself in a field "file".
type Form struct {
	URL    string
	Fields map[string]string // to be sent as they are; none may be left out or added

	MinSize, MaxSize int64 // bytes that the file may have
	Bucket           string
	Key              string
	Expires          time.Time // UTC; from then on S3 refuses the form
}

// Post grants the upload of one file of a session by a form, where its exact
// length is not known beforehand: S3 holds the file to a range. The policy pins
// the key, the media type, the range and, where given, the digest.
//
// A form can't carry a precondition: until it expires it can be sent again, and
// then replaces the object. Read through the Ref that [Signer.Arrived] pins, and
// use a new session for each form. The credentials must allow a PUT without
// If-None-Match: credential.FormSigner does, credential.Signer does not. If the
// length is known, use [Signer.Put].
//
// Errors: as [Signer.Put].
func (s *Signer) Post(ctx context.Context, session scope.Scope, name string, o *PostOptions) (Form, error) {
	f, err := s.post(ctx, session, name, o)
	if err != nil {
		return Form{}, fmt.Errorf("presign: post: %w", err)
	}
	return f, nil
}

func (s *Signer) post(ctx context.Context, session scope.Scope, name string, o *PostOptions) (Form, error) {
	_, ref, err := s.uploadRef(session, name)
	if err != nil {
		return Form{}, err
	}
	var opt PostOptions
	if o != nil {
		opt = *o
	}
	if opt.Expires == 0 {
		opt.Expires = s.expires
	}
	if err := opt.check(); err != nil {
		return Form{}, err
	}
	if strings.Contains(name, "${filename}") {
		return Form{}, invalid("a name with ${filename}, in whose place S3 puts one of the client's choice")
	}
	client, err := s.choose(ctx, session)
	if err != nil {
		return Form{}, err
	}
	creds, err := credentials(ctx, s.provider(client))
	if err != nil {
		return Form{}, err
	}

	fields := []header{{"Content-Type", opt.Type}}
	if opt.SHA256 != nil {
		fields = append(fields,
			header{"x-amz-checksum-algorithm", "SHA256"},
			header{"x-amz-checksum-sha256", base64.StdEncoding.EncodeToString(opt.SHA256)})
	}
	conditions := []any{[]any{"content-length-range", opt.MinSize, opt.MaxSize}}
	for _, f := range fields {
		conditions = append(conditions, map[string]string{f.name: f.value})
	}
	expires := clamp(opt.Expires, creds)
	p := s.forms
	if p == nil {
		p = formClient(client)
	}
	signed, err := p.PresignPostObject(context.WithValue(ctx, inContext{}, creds), &s3.PutObjectInput{Bucket: aws.String(ref.Bucket()), Key: aws.String(ref.Key())},
		func(o *s3.PresignPostOptions) { o.Expires, o.Conditions = expires, conditions })
	if err != nil {
		return Form{}, err
	}
	for _, f := range fields {
		signed.Values[f.name] = f.value
	}
	end, err := verifyForm(signed, promise{ref: ref, fields: fields, min: opt.MinSize, max: opt.MaxSize}, creds, expires)
	if err != nil {
		return Form{}, err
	}
	return Form{
		URL: signed.URL, Fields: signed.Values, MinSize: opt.MinSize, MaxSize: opt.MaxSize,
		Bucket: ref.Bucket(), Key: ref.Key(), Expires: end,
	}, nil
}

// formClient makes forms for the credentials that the context carries: the
// options of a single form can't say which, and a client for each is dear.
func formClient(c *s3.Client) *s3.PresignClient {
	return s3.NewPresignClient(c, s3.WithPresignClientFromClientOptions(func(o *s3.Options) { o.Credentials = inContext{} }))
}

func (o PostOptions) check() error {
	switch {
	case !validType(o.Type):
		return invalid("media type %.80q", o.Type)
	case o.MaxSize < 1 || o.MaxSize > MaxSize:
		return invalid("a largest size of %d bytes; 1 to %d are possible", o.MaxSize, int64(MaxSize))
	case o.MinSize < 0 || o.MinSize > o.MaxSize:
		return invalid("a smallest size of %d bytes; 0 to %d are possible", o.MinSize, o.MaxSize)
	}
	if err := checkDigest(o.SHA256); err != nil {
		return err
	}
	return checkExpires(o.Expires)
}
