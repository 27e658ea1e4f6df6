package presign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

const (
	// DefaultExpires is how long a grant is good for.
	DefaultExpires = 15 * time.Minute

	// MaxExpires is the longest that S3 accepts.
	MaxExpires = 7 * 24 * time.Hour

	// MinLife is how long credentials must still live to sign a grant.
	MinLife = 5 * time.Minute

	// MaxSize is the largest body that S3 takes in one PUT, in bytes.
	MaxSize = 5 << 30
)

// Options configure a [Signer]. Nil is valid.
type Options struct {
	// For chooses the client, and with it the credentials, for a scope.
	// Default: the client given to New, for every scope. It must be safe for
	// concurrent use; its errors are returned wrapped.
	For func(context.Context, scope.Scope) (*s3.Client, error)

	// Expires is how long a grant is good for where its own options do not say,
	// 1 s to 7 days. Default: DefaultExpires.
	Expires time.Duration

	// BucketOwner is the id of the account that owns the bucket, 12 digits. A
	// grant to upload then makes the client send x-amz-expected-bucket-owner, and
	// S3 refuses the upload if another account owns the bucket. The header is
	// not part of forms, which can't carry it, nor of downloads, since a browser
	// that follows a link sends no headers. If empty, the owner is not checked.
	BucketOwner string

	// Types are the media types, without parameters and in lower case, that a
	// download may be served as; any other is served as
	// application/octet-stream. Allow none that a browser executes: no HTML, no
	// SVG, no XML, no PDF where its viewer is not trusted. Default: none.
	Types []string

	// Audit is told of each message that [Signer.Events] refuses. Names and Refs
	// that are refused are the bucket's to report. Default: nobody is told.
	Audit scope.Auditor
}

// Signer makes grants for one bucket. It is safe for concurrent use.
type Signer struct {
	bucket  *object.Bucket
	choose  func(context.Context, scope.Scope) (*s3.Client, error)
	expires time.Duration
	types   []string
	owner   string        // of the bucket; "" if it is not checked
	audit   scope.Auditor // may be nil
	signer  *v4.Signer    // one for all grants: it keeps the day's signing key
	uploads *v4.Signer    // for uploads, if a bucket owner is signed; else nil

	// Of the one client, where there is no Options.For: they cost too much to be
	// had anew for each grant.
	urls, forms *s3.PresignClient
	creds       aws.CredentialsProvider
}

// New returns the signer for b. The client signs: its credentials, region and
// endpoint are what the client of the upload will meet, so the endpoint must be
// one that a browser reaches. b names the bucket, makes the Refs that
// [Signer.Arrived] returns, and is where it looks.
//
// The bucket's name must be a plain one: see [s3object.CheckBucket].
func New(c *s3.Client, b *object.Bucket, o *Options) (*Signer, error) {
	if b == nil {
		return nil, fmt.Errorf("presign: new: %w", invalid("no bucket"))
	}
	if err := s3object.CheckBucket(b.Name()); err != nil {
		return nil, fmt.Errorf("presign: new: %w: %w", ErrInvalid, err)
	}
	s := &Signer{bucket: b, expires: DefaultExpires}
	s.signer = newV4Signer(false)
	if o != nil {
		s.choose = o.For
		s.types, s.audit, s.owner = slices.Clone(o.Types), o.Audit, o.BucketOwner
		if o.Expires != 0 {
			s.expires = o.Expires
		}
	}
	if s.owner != "" {
		if len(s.owner) != 12 || strings.Trim(s.owner, "0123456789") != "" {
			return nil, fmt.Errorf("presign: new: %w", invalid("bucket owner %.80q: must be 12 digits", s.owner))
		}
		s.uploads = newV4Signer(true)
	}
	if err := checkExpires(s.expires); err != nil {
		return nil, fmt.Errorf("presign: new: %w", err)
	}
	for _, t := range s.types {
		if !validType(t) || strings.ContainsAny(t, "; ") || t != strings.ToLower(t) {
			return nil, fmt.Errorf("presign: new: %w", invalid("allowed media type %.80q", t))
		}
	}
	if s.choose == nil {
		if c == nil {
			return nil, fmt.Errorf("presign: new: %w", invalid("neither a client nor Options.For"))
		}
		s.choose = func(context.Context, scope.Scope) (*s3.Client, error) { return c, nil }
		s.urls, s.forms, s.creds = s.urlClient(c), formClient(c), c.Options().Credentials
	}
	return s, nil
}

// provider returns what c signs with.
func (s *Signer) provider(c *s3.Client) aws.CredentialsProvider {
	if s.forms != nil {
		return s.creds
	}
	return c.Options().Credentials
}

// uploadRef is ref for an upload, which takes a scope that may write.
func (s *Signer) uploadRef(session scope.Scope, name string) (*object.Root, object.Ref, error) {
	if err := session.RequireWrite(); err != nil {
		return nil, object.Ref{}, err
	}
	return s.ref(session, name)
}

// ref names a file of a session. Scopes of other levels have no uploads.
func (s *Signer) ref(session scope.Scope, name string) (*object.Root, object.Ref, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, object.Ref{}, err
	}
	root, err := s.bucket.In(session)
	if err != nil {
		return nil, object.Ref{}, err
	}
	ref, err := root.Ref(name)
	return root, ref, err
}

// newV4Signer returns a signer that writes keys as S3 expects them. The SDK
// moves x-amz-expected-bucket-owner to the query, where S3 does not look for it;
// keepHeaders prevents that.
func newV4Signer(keepHeaders bool) *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping, o.DisableHeaderHoisting = true, keepHeaders })
}

func checkExpires(d time.Duration) error {
	if d < time.Second || d > MaxExpires {
		return invalid("an expiry of %v; 1s to %v are possible", d, MaxExpires)
	}
	return nil
}
