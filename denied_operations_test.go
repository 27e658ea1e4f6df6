package carrel_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

func scopeOperations() map[string]operation {
	return map[string]operation{
		"scope.User":       {func(_ context.Context, s scope.Scope) error { _, err := s.User("/"); return err }, onlyTenant},
		"scope.Shared":     {func(_ context.Context, s scope.Scope) error { _, err := s.Shared(); return err }, onlyTenant},
		"scope.Session":    {func(_ context.Context, s scope.Scope) error { _, err := s.Session("/"); return err }, onlyUser},
		"scope.NewSession": {func(_ context.Context, s scope.Scope) error { _, err := s.NewSession(); return err }, onlyUser},
		"scope.Key":        {func(_ context.Context, s scope.Scope) error { _, err := s.Key("/"); return err }, hasFiles},
		"scope.Index": {func(_ context.Context, s scope.Scope) error {
			_, err := s.Index(scope.UserLevel, "class")
			return err
		}, []scope.Level{scope.UserLevel, scope.SessionLevel}},
		"scope.FromContext": {func(ctx context.Context, s scope.Scope) error {
			_, err := scope.FromContext(scope.NewContext(ctx, s))
			return err
		}, anyLevel},
		"scope.Require": {func(_ context.Context, s scope.Scope) error { return s.Require() }, anyLevel},
		"scope.Require levels": {func(_ context.Context, s scope.Scope) error {
			return s.Require(scope.TenantLevel, scope.UserLevel)
		}, lists},
	}
}

func storeOperations(t *testing.T) map[string]operation {
	t.Helper()
	memory := object.NewMemory()
	driver, err := s3object.New(s3Client(), "carrel-raw", nil)
	require.NoError(t, err)
	return map[string]operation{
		"table.In": {func(_ context.Context, s scope.Scope) error {
			_, err := must.Get(table.New(table.NewMemory(nil), nil)).In(s)
			return err
		}, anyLevel},
		"object.In": {func(_ context.Context, s scope.Scope) error {
			_, err := must.Get(object.New(memory, "carrel-raw", nil)).In(s)
			return err
		}, anyLevel},
		"object.Ref": {func(_ context.Context, s scope.Scope) error {
			root, err := must.Get(object.New(memory, "carrel-raw", nil)).In(s)
			if err != nil {
				return err
			}
			_, err = root.Ref("/")
			return err
		}, hasFiles},
		"object.Memory.List": {func(ctx context.Context, s scope.Scope) error {
			_, _, err := memory.List(ctx, s, "", 1)
			return err
		}, anyLevel},
		"s3object.List": {func(ctx context.Context, s scope.Scope) error { _, _, err := driver.List(ctx, s, "", 1); return err }, anyLevel},
		"s3object.Copy": {func(ctx context.Context, s scope.Scope) error {
			_, err := driver.(object.Copier).Copy(ctx, s, object.Addr{}, object.Addr{}, object.PutOptions{Size: 1 << 60})
			return err
		}, anyLevel},
	}
}

func presignOperations(t *testing.T) map[string]operation {
	t.Helper()
	signer, err := presign.New(s3Client(), must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), nil)
	require.NoError(t, err)
	tb := must.Get(table.New(table.NewMemory(nil), nil))
	recorder := must.Get(arrivals.New(tb, must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), signer,
		must.Get(tracking.New(tb, tracking.Uploads(), nil)), nil))
	return map[string]operation{
		"arrivals.Expect": {func(ctx context.Context, s scope.Scope) error {
			_, err := recorder.Expect(ctx, s, arrivals.Upload{})
			return err
		}, ofSessions},
		"presign.Put":  {func(ctx context.Context, s scope.Scope) error { _, err := signer.Put(ctx, s, "/", nil); return err }, ofSessions},
		"presign.Post": {func(ctx context.Context, s scope.Scope) error { _, err := signer.Post(ctx, s, "/", nil); return err }, ofSessions},
		"presign.CreateMultipart": {func(ctx context.Context, s scope.Scope) error {
			_, err := signer.CreateMultipart(ctx, s, "/", nil)
			return err
		}, ofSessions},
		"presign.Part": {func(ctx context.Context, s scope.Scope) error {
			_, err := signer.Part(ctx, s, presign.Multipart{}, 0, nil)
			return err
		}, ofSessions},
		"presign.Complete": {func(ctx context.Context, s scope.Scope) error {
			return signer.Complete(ctx, s, presign.Multipart{}, nil)
		}, ofSessions},
		"presign.Abort": {func(ctx context.Context, s scope.Scope) error { return signer.Abort(ctx, s, presign.Multipart{}) }, ofSessions},
		"presign.Arrived": {func(ctx context.Context, s scope.Scope) error {
			_, _, err := signer.Arrived(ctx, s, "/", &presign.ArrivedOptions{Size: -1})
			return err
		}, ofSessions},
	}
}

// noSTS is a client of a service that does not answer.
type noSTS struct{}

func (noSTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return nil, io.ErrUnexpectedEOF
}

func credentialOperations(t *testing.T) map[string]operation {
	t.Helper()
	vendor, err := credential.New(noSTS{}, "arn:aws:iam::123456789012:role/carrel", credential.Resources{Raw: "carrel-raw"}, nil)
	require.NoError(t, err)
	policy := func(p credential.Purpose) func(context.Context, scope.Scope) error {
		return func(_ context.Context, s scope.Scope) error {
			_, err := credential.Policy(s, p, credential.Resources{Account: "123456789012", Raw: "*"})
			return err
		}
	}
	return map[string]operation{
		"credential.Policy signer":   {policy(credential.Signer), ofSessions},
		"credential.Policy agent":    {policy(credential.Agent), anyLevel},
		"credential.Policy writer":   {policy(credential.Writer), anyLevel},
		"credential.Policy tracker":  {policy(credential.Tracker), anyLevel},
		"credential.Policy forms":    {policy(credential.FormSigner), ofSessions},
		"credential.Policy cleaner":  {policy(credential.Cleaner), anyLevel},
		"credential.Policy approver": {policy(credential.Approver), anyLevel},
		"credential.Policy listing":  {policy(credential.Listing), []scope.Level{scope.TenantLevel, scope.SharedLevel, scope.UserLevel}},
		"credential.Retrieve": {func(ctx context.Context, s scope.Scope) error {
			_, err := vendor.Retrieve(ctx, s, credential.Agent)
			return err
		}, anyLevel},
		"credential.Provider": {func(ctx context.Context, s scope.Scope) error {
			_, err := vendor.Provider(s, credential.Signer).Retrieve(ctx)
			return err
		}, ofSessions},
	}
}

func trackingOperations(t *testing.T) map[string]operation {
	t.Helper()
	tr, err := tracking.New(must.Get(table.New(table.NewMemory(nil), nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	return map[string]operation{
		"tracking.Create": {func(ctx context.Context, s scope.Scope) error {
			_, err := tr.Create(ctx, s, &tracking.CreateOptions{Filename: "/"})
			return err
		}, ofSessions},
		"tracking.Get":    {func(ctx context.Context, s scope.Scope) error { _, err := tr.Get(ctx, s); return err }, ofSessions},
		"tracking.Cancel": {func(ctx context.Context, s scope.Scope) error { _, err := tr.Cancel(ctx, s); return err }, ofSessions},
		"tracking.Observe": {func(ctx context.Context, s scope.Scope) error {
			_, err := tr.Observe(ctx, s, tracking.Observation{})
			return err
		}, ofSessions},
		"tracking.Claim": {func(ctx context.Context, s scope.Scope) error { _, err := tr.Claim(ctx, s, "", nil); return err }, ofSessions},
		"tracking.Track": {func(ctx context.Context, s scope.Scope) error {
			return tr.Track(ctx, s, "", nil, func(context.Context) (object.Ref, error) { return object.Ref{}, nil })
		}, ofSessions},
		"tracking.List": {func(ctx context.Context, s scope.Scope) error {
			_, err := tr.List(ctx, s, tracking.Filter{Limit: -1})
			return err
		}, lists},
		"tracking.Count": {func(ctx context.Context, s scope.Scope) error { _, err := tr.Count(ctx, s); return err }, lists},
		"tracking.Find":  {func(ctx context.Context, s scope.Scope) error { _, err := tr.Find(ctx, s, "/"); return err }, lists},
	}
}

// unreachable is a network without S3.
type unreachable struct{}

func (unreachable) Do(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func s3Client() *s3.Client {
	return s3.New(s3.Options{Region: "eu-central-1", HTTPClient: unreachable{}, RetryMaxAttempts: 1})
}
