package credential_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/credential"
)

func TestConcurrentCallersShareOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: time.Second}
		v := newVendor(t, sts, nil)
		user := levels("acme", "u1")[2]
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				s := session()
				if i%2 == 0 {
					s = user
				}
				c, err := v.Retrieve(t.Context(), s, credential.Agent)
				require.NoError(t, err)
				require.Equal(t, must(credential.Policy(s, credential.Agent, resources())), c.SessionToken)
			})
		}
		wg.Wait()
		require.EqualValues(t, 2, sts.calls.Load())
		require.EqualValues(t, 2, sts.most.Load(), "two scopes do not wait for each other")
	})
}

// The call continues after its first caller has left, with the values of that caller's context.
func TestACanceledCallerDoesNotCancelTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: time.Second}
		v := newVendor(t, sts, nil)
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Retrieve(ctx, session(), credential.Agent)
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				_, err := v.Retrieve(t.Context(), session(), credential.Agent)
				require.NoError(t, err)
			})
		}
		synctest.Wait()
		leave()
		wg.Wait()
		require.EqualValues(t, 1, sts.calls.Load())
		require.Zero(t, sts.cancelled.Load())
	})
}

// When the last caller leaves, the call is canceled and ends. A later caller starts another.
func TestTheLastCallerCancelsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: time.Minute / 2}
		v := newVendor(t, sts, nil)
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := v.Retrieve(ctx, session(), credential.Agent)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
		synctest.Wait()
		leave()
		wg.Wait()
		require.EqualValues(t, 1, sts.cancelled.Load())
		require.Zero(t, sts.running.Load(), "no call outlives those who wanted it")

		sts.takes = time.Second
		_, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.EqualValues(t, 2, sts.calls.Load())
	})
}

// A call that is slow to end after its cancellation does not split the callers of the next one.
func TestACanceledCallDoesNotEndTheNextOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: 10 * time.Second, lingers: 3 * time.Second}
		v := newVendor(t, sts, nil)
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Retrieve(ctx, session(), credential.Agent)
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		leave()
		for range 5 { // some before the canceled call has ended, some after it
			time.Sleep(time.Second)
			wg.Go(func() {
				_, err := v.Retrieve(t.Context(), session(), credential.Agent)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.EqualValues(t, 2, sts.calls.Load())
	})
}

func TestACallEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: time.Hour}
		v := newVendor(t, sts, nil)
		begin := time.Now()
		_, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, credential.CallTimeout, time.Since(begin))
		require.Zero(t, sts.running.Load())
	})
}

// A service that does not answer does not delay callers whose cached credentials are valid.
func TestARefreshThatHangsReturnsCachedCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{}
		v := newVendor(t, sts, nil)
		first, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		time.Sleep(56 * time.Minute)
		sts.takes = time.Hour
		begin := time.Now()
		for range 100 {
			c, err := v.Retrieve(t.Context(), session(), credential.Agent)
			require.NoError(t, err)
			require.Equal(t, first, c)
		}
		require.LessOrEqual(t, time.Since(begin), time.Second, "all of them together")
		require.EqualValues(t, 2, sts.calls.Load(), "one call that hangs")
		time.Sleep(time.Minute)
		require.Zero(t, sts.running.Load(), "it ends at its timeout")

		sts.takes = 5 * time.Second
		c, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.Equal(t, first, c)
		time.Sleep(5 * time.Second)
		c, err = v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.NotEqual(t, first, c, "a slow answer is kept for later callers")
		require.EqualValues(t, 3, sts.calls.Load())
	})
}

// Callers join, leave and meet failures in random order. Each gets credentials of its scope or an error, and all calls end.
func TestRetrieveIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sts := &service{takes: 10 * time.Millisecond}
		sts.spoil = func(out *awssts.AssumeRoleOutput) { // stale after a second
			out.Credentials.Expiration = aws.Time(time.Now().Add(5*time.Minute + time.Second))
		}
		v := newVendor(t, sts, &credential.Options{Size: 3})
		scopes := append(levels("acme", "u1"), levels("globex", "u1")...)
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				for j := range 40 {
					s := scopes[(i+j)%len(scopes)]
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration((i*j)%23)*time.Millisecond)
					c, err := v.Retrieve(ctx, s, credential.Agent)
					if err == nil {
						require.Equal(t, must(credential.Policy(s, credential.Agent, resources())), c.SessionToken)
					} else {
						require.ErrorIs(t, err, context.DeadlineExceeded)
					}
					cancel()
					if j%10 == 9 {
						time.Sleep(time.Duration(i%7) * 100 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		require.Zero(t, sts.running.Load())
		require.Positive(t, sts.cancelled.Load())
		c, err := v.Retrieve(t.Context(), session(), credential.Agent)
		require.NoError(t, err)
		require.NotZero(t, c)
	})
}
