package credential_test

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
)

// service is an STS in the process. It takes the given time, and its sessions have the requested duration.
type service struct {
	takes   time.Duration
	lingers time.Duration // after its context has ended
	err     atomic.Pointer[error]
	spoil   func(*sts.AssumeRoleOutput)

	calls, running, most, cancelled atomic.Int32

	mu    sync.Mutex
	asked []*sts.AssumeRoleInput
}

func (s *service) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.most.Store(max(s.most.Load(), s.running.Add(1)))
	defer s.running.Add(-1)
	n := s.calls.Add(1)
	s.mu.Lock()
	s.asked = append(s.asked, in)
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		time.Sleep(s.lingers)
		s.cancelled.Add(1)
		return nil, context.Cause(ctx)
	}
	if err := s.err.Load(); err != nil {
		return nil, *err
	}
	out := &sts.AssumeRoleOutput{Credentials: &types.Credentials{
		AccessKeyId:     aws.String("ASIA" + string('A'+n-1)),
		SecretAccessKey: aws.String("secret"),
		SessionToken:    aws.String(*in.Policy), // opaque; here it shows what the session is worth
		Expiration:      aws.Time(time.Now().Add(time.Duration(*in.DurationSeconds) * time.Second)),
	}}
	if s.spoil != nil {
		s.spoil(out)
	}
	return out, nil
}

func (s *service) fail(err error) { s.err.Store(&err) }

func newVendor(t *testing.T, s *service, o *credential.Options) *credential.Vendor {
	t.Helper()
	v, err := credential.New(s, roleARN, resources(), o)
	require.NoError(t, err)
	return v
}

func TestRetrieveAssumesTheRoleWithThePolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{}
		v := newVendor(t, sts, &credential.Options{Duration: 2 * time.Hour})
		c, err := v.Retrieve(t.Context(), session(), credential.Agent|credential.Writer)
		require.NoError(t, err)

		in := sts.asked[0]
		require.Equal(t, must(credential.Policy(session(), credential.Agent|credential.Writer, resources())), *in.Policy)
		require.Equal(t, roleARN, *in.RoleArn)
		require.Equal(t, credential.SessionName(session(), credential.Agent|credential.Writer), *in.RoleSessionName)
		require.EqualValues(t, 7200, *in.DurationSeconds)
		require.Equal(t, aws.Credentials{
			AccessKeyID: "ASIAA", SecretAccessKey: "secret", SessionToken: *in.Policy,
			Source: "carrel/scope/credential", CanExpire: true, Expires: time.Now().Add(2 * time.Hour), AccountID: "123456789012",
		}, c)
	})
}

// The cache never hands out what belongs to somebody else, and knows a purpose
// from another.
func TestCacheIsKeyedByScopeAndPurpose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{}
		v := newVendor(t, sts, nil)
		first := map[string]aws.Credentials{}
		var scopes []scope.Scope
		for _, tenant := range []string{"acme", "globex", "Acme"} {
			for _, user := range []string{"u1", "u2"} {
				scopes = append(scopes, levels(tenant, user)[2:]...)
			}
		}
		purposes := []credential.Purpose{credential.Agent, credential.Tracker, credential.Agent | credential.Tracker}
		for round := range 2 {
			for i := range len(scopes) * len(purposes) {
				s, p := scopes[i/len(purposes)], purposes[i%len(purposes)]
				c, err := v.Retrieve(t.Context(), s, p)
				require.NoError(t, err)
				require.Equal(t, must(credential.Policy(s, p, resources())), c.SessionToken, "%v %v", s, p)
				who := s.String() + p.String()
				if round == 0 {
					first[who] = c
				}
				require.Equal(t, first[who], c)
			}
		}
		require.EqualValues(t, len(first), sts.calls.Load())
	})
}

// The cache does not give the credentials of a scope that may write to the same scope made read-only.
func TestReadOnlyScopesHaveTheirOwnCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newVendor(t, &service{}, nil)
		s := levels("acme", "u1")[3]
		for range 2 {
			writing, err := v.Retrieve(t.Context(), s, credential.Agent|credential.Writer)
			require.NoError(t, err)
			reading, err := v.Retrieve(t.Context(), s.ReadOnly(), credential.Agent|credential.Writer)
			require.NoError(t, err)
			require.Contains(t, writing.SessionToken, "s3:PutObject")
			require.NotContains(t, reading.SessionToken, "s3:PutObject")
		}
	})
}

func TestCredentialsAreRefreshedBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{}
		v := newVendor(t, sts, nil)
		get := func() aws.Credentials {
			c, err := v.Provider(session(), credential.Agent).Retrieve(t.Context())
			require.NoError(t, err)
			return c
		}
		old := get()
		time.Sleep(55*time.Minute - time.Second)
		require.Equal(t, old, get())
		time.Sleep(time.Second)
		renewed := get()
		require.NotEqual(t, old.AccessKeyID, renewed.AccessKeyID)
		require.Equal(t, time.Hour, time.Until(renewed.Expires))
		require.Equal(t, renewed, get())
		require.EqualValues(t, 2, sts.calls.Load())
	})
}

// If STS fails, cached credentials serve until they expire, and failures are not cached.
func TestFailedRefreshReturnsCachedCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts, broken := &service{}, errors.New("throttled")
		v := newVendor(t, sts, nil)
		old, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		sts.fail(broken)
		time.Sleep(time.Hour - time.Second)
		c, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.Equal(t, old, c)
		time.Sleep(time.Second)
		c, err = v.Retrieve(t.Context(), session(), credential.Agent)
		require.ErrorIs(t, err, broken)
		require.Zero(t, c)
		sts.err.Store(nil)
		c, err = v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.NotEqual(t, old, c)
	})
}

func TestCacheEvictsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{}
		v := newVendor(t, sts, &credential.Options{Size: 2})
		all := levels("acme", "u1")
		get := func(i int) {
			_, err := v.Retrieve(t.Context(), all[i], credential.Agent)
			require.NoError(t, err)
		}
		for _, i := range []int{0, 1, 0, 2, 0} { // 2 takes the place of 1, which was used longest ago
			get(i)
		}
		require.EqualValues(t, 3, sts.calls.Load())
		get(1)
		require.EqualValues(t, 4, sts.calls.Load())
	})
}

func TestRetrieveReturnsTheErrorsOfSTS(t *testing.T) {
	t.Parallel()
	sts := &service{}
	v := newVendor(t, sts, nil)
	_, err := v.Retrieve(t.Context(), scope.Scope{}, credential.Agent)
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = v.Retrieve(t.Context(), session(), credential.Listing)
	require.ErrorIs(t, err, scope.ErrLevel)
	_, err = v.Retrieve(t.Context(), session(), 0)
	require.ErrorIs(t, err, credential.ErrInvalid)
	require.Zero(t, sts.calls.Load(), "what has no policy is not asked for")

	sts.fail(&types.PackedPolicyTooLargeException{})
	_, err = v.Retrieve(t.Context(), session(), credential.Agent)
	require.ErrorIs(t, err, credential.ErrTooLong)
	sts.err.Store(nil)

	for name, spoil := range map[string]func(*output){
		"no credentials": func(o *output) { o.Credentials = nil },
		"no key":         func(o *output) { o.Credentials.AccessKeyId = nil },
		"no secret":      func(o *output) { o.Credentials.SecretAccessKey = aws.String("") },
		"no token":       func(o *output) { o.Credentials.SessionToken = nil },
		"no end":         func(o *output) { o.Credentials.Expiration = nil },
		"ended":          func(o *output) { o.Credentials.Expiration = aws.Time(time.Now().Add(-time.Second)) },
	} {
		sts.spoil = spoil
		c, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.ErrorIs(t, err, credential.ErrAnswer, name)
		require.Zero(t, c, name)
	}
}

type output = sts.AssumeRoleOutput

func TestNewRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		role string
		with func(*credential.Resources)
		o    *credential.Options
	}{
		"no role":           {role: ""},
		"a role's name":     {role: "carrel-tenant"},
		"a user":            {role: "arn:aws:iam::123456789012:user/x"},
		"another partition": {role: "arn:aws-cn:iam::123456789012:role/x"},
		"any role":          {role: "arn:aws:iam::123456789012:role/*"},
		"resources":         {role: roleARN, with: func(r *credential.Resources) { r.Raw = "*" }},
		"too short":         {role: roleARN, o: &credential.Options{Duration: 899 * time.Second}},
		"too long":          {role: roleARN, o: &credential.Options{Duration: 12*time.Hour + time.Second}},
		"half a second":     {role: roleARN, o: &credential.Options{Duration: time.Hour + time.Second/2}},
		"a negative size":   {role: roleARN, o: &credential.Options{Size: -1}},
	} {
		r := resources()
		if c.with != nil {
			c.with(&r)
		}
		_, err := credential.New(&service{}, c.role, r, c.o)
		require.ErrorIs(t, err, credential.ErrInvalid, name)
	}
	_, err := credential.New(nil, roleARN, resources(), nil)
	require.ErrorIs(t, err, credential.ErrInvalid)
	for _, arn := range []string{"arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/service/team/carrel+x=y,z.@-_"} {
		_, err := credential.New(&service{}, arn, resources(), nil)
		require.NoError(t, err, arn)
	}
}

// The name is in STS's grammar whatever the scope, tells scopes and purposes
// apart, and shows no id.
func TestSessionNamesAreStable(t *testing.T) {
	t.Parallel()
	grammar := regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	seen := map[string]bool{}
	for _, tenant := range []string{"acme", "globex", "Acme"} {
		for _, s := range append(levels(tenant, "u1"), levels(tenant, "u2")[2:]...) {
			for p := credential.Purpose(1); p != 0; p++ {
				name := credential.SessionName(s, p)
				require.Regexp(t, grammar, name)
				require.NotContains(t, name, tenant)
				require.False(t, seen[name], name)
				seen[name] = true
			}
		}
	}
}

func TestResourcesAreCopied(t *testing.T) {
	t.Parallel()
	r := resources()
	sts := &service{}
	v, err := credential.New(sts, roleARN, r, nil)
	require.NoError(t, err)
	r.Indexes[0], r.Classes[0] = "other", "*"
	c, err := v.Retrieve(t.Context(), levels("acme", "u1")[2], credential.Listing)
	require.NoError(t, err)
	require.Equal(t, must(credential.Policy(levels("acme", "u1")[2], credential.Listing, resources())), c.SessionToken)
}

func BenchmarkRetrieveKept(b *testing.B) {
	v, err := credential.New(&service{}, roleARN, resources(), nil)
	require.NoError(b, err)
	s := session()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Retrieve(b.Context(), s, credential.Agent); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPolicy(b *testing.B) {
	s, r := session(), resources()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.Policy(s, credential.Agent|credential.Tracker, r); err != nil {
			b.Fatal(err)
		}
	}
}
