package presign

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/internal/awsname"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// MaxSize is the largest body that S3 accepts in one PUT, in bytes.
const MaxSize = 5 << 30

const (
	defaultExpires = 15 * time.Minute
	maxExpires     = 7 * 24 * time.Hour // S3's limit
)

// Options configures a [Signer]. Nil is valid.
type Options struct {
	// For returns the client, and with it the credentials, for a scope. It must
	// be safe for concurrent use; its errors are returned wrapped. If nil, the
	// client of New serves every scope.
	For func(context.Context, scope.Scope) (*s3.Client, error)

	// Expires is the default life of a grant, 1 s to 7 days. Default: 15 minutes.
	Expires time.Duration

	// BucketOwner is the id of the account that owns the bucket, 12 digits. If
	// set, an upload grant signs x-amz-expected-bucket-owner, and S3 rejects the
	// upload if another account owns the bucket. Forms can't carry the header, and
	// a browser that follows a download link does not send it. If empty, the owner
	// is not checked.
	BucketOwner string

	// Types are the media types that a download may be served as, in lower case
	// and without parameters. All others are served as application/octet-stream.
	// Do not list types that a browser executes: HTML, SVG, XML, and PDF unless
	// you trust its viewer. Default: none.
	Types []string

	// Audit, if non-nil, receives each message that [Signer.Events] rejects, and each
	// Ref of another bucket that [Signer.Get] rejects. Invalid names are reported to
	// the Audit of the object.Bucket.
	Audit scope.Auditor
}

// Signer makes grants for one bucket. It is safe for concurrent use.
type Signer struct {
	bucket  *object.Bucket
	choose  func(context.Context, scope.Scope) (*s3.Client, error)
	expires time.Duration
	types   []string
	owner   string        // account of the bucket; "" if unchecked
	audit   scope.Auditor // may be nil
	signer  *v4.Signer    // shared by all grants: it caches the day's signing key
	uploads *v4.Signer    // for uploads, if a bucket owner is signed; else nil

	// Made once if Options.For is nil, since they are slow to make for each grant.
	urls, forms *s3.PresignClient
	creds       aws.CredentialsProvider
}

// New returns a signer for b. The client signs with its credentials, region and
// endpoint; browsers must be able to reach the endpoint. c may be nil if
// Options.For is set. [Signer.Arrived] reads from b and returns Refs of b, which
// must be a general purpose bucket of S3.
func New(c *s3.Client, b *object.Bucket, o *Options) (_ *Signer, err error) {
	defer wrapError("new", &err)
	if b == nil {
		return nil, invalidf("bucket: must not be nil")
	}
	if err := awsname.CheckBucket(b.Name()); err != nil {
		return nil, invalidf("%w", err)
	}
	opt := valueOf(o)
	opt.Expires = cmp.Or(opt.Expires, defaultExpires)
	if err := opt.check(); err != nil {
		return nil, err
	}
	s := &Signer{
		bucket: b, choose: opt.For, expires: opt.Expires, types: slices.Clone(opt.Types), owner: opt.BucketOwner,
		audit: opt.Audit, signer: newV4Signer(false),
	}
	if s.owner != "" {
		s.uploads = newV4Signer(true)
	}
	if s.choose == nil {
		if c == nil {
			return nil, invalidf("client: must not be nil without Options.For")
		}
		s.choose = func(context.Context, scope.Scope) (*s3.Client, error) { return c, nil }
		s.urls, s.forms, s.creds = s.newURLClient(c), newFormClient(c), c.Options().Credentials
	}
	return s, nil
}

func (o Options) check() error {
	if o.BucketOwner != "" {
		if err := awsname.CheckAccount(o.BucketOwner); err != nil {
			return invalidf("bucket owner: %w", err)
		}
	}
	for _, t := range o.Types {
		if checkType(t) != nil || strings.ContainsAny(t, "; ") || t != strings.ToLower(t) {
			return invalidf("media type %.80q in Options.Types: must be like image/jpeg, in lower case, without parameters", t)
		}
	}
	return checkExpires(o.Expires)
}

// chooseClient returns the client of a scope, which is not nil.
func (s *Signer) chooseClient(ctx context.Context, of scope.Scope) (*s3.Client, error) {
	c, err := s.choose(ctx, of)
	if err == nil && c == nil {
		err = invalidf("client: Options.For returned nil")
	}
	return c, err
}

func (s *Signer) reportRefusal(ctx context.Context, op string, err error) {
	if s.audit != nil {
		s.audit.Refused(ctx, scope.Refusal{Op: op, Err: err})
	}
}

// credentialsOf returns the credentials that c signs with.
func (s *Signer) credentialsOf(c *s3.Client) aws.CredentialsProvider {
	if s.creds != nil {
		return s.creds
	}
	return c.Options().Credentials
}

// uploadRef is sessionRef for an upload, which needs a scope that may write.
func (s *Signer) uploadRef(session scope.Scope, name string) (*object.Root, object.Ref, error) {
	if err := session.RequireWrite(); err != nil {
		return nil, object.Ref{}, err
	}
	return s.sessionRef(session, name)
}

// sessionRef returns the Ref of a file of a session. Scopes of other levels do not have
// uploads.
func (s *Signer) sessionRef(session scope.Scope, name string) (*object.Root, object.Ref, error) {
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

// newV4Signer returns a signer that writes keys as S3 expects them. The SDK moves
// x-amz-expected-bucket-owner to the query, where S3 ignores it; keepHeaders
// prevents that.
func newV4Signer(keepHeaders bool) *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping, o.DisableHeaderHoisting = true, keepHeaders
	})
}

func checkExpires(d time.Duration) error {
	if d < time.Second || d > maxExpires {
		return invalidf("expiry %v: must be 1s to %v", d, maxExpires)
	}
	return nil
}
