package credential

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

var errAbandoned = errors.New("credential: all waiting callers have returned")

// flight is one call of STS with its waiting callers. Its goroutine ends before the
// last of them returns, unless one of them has returned cached credentials meanwhile:
// then it ends within callTimeout, and there are at most as many such goroutines as
// cached credentials.
//
// aws.CredentialsCache shares calls too, but its call continues after the last caller
// has left. A client that cancels requests could then pile up calls of STS, one for
// each session.
type flight struct {
	waiters int // guarded by Vendor.mu
	cancel  context.CancelCauseFunc
	start   time.Time

	done  chan struct{}
	creds aws.Credentials // valid once done is closed
	err   error
}

// joinFlight returns the current flight for k or starts one. The caller holds mu, and
// must wait for the flight or leave it.
func (v *Vendor) joinFlight(ctx context.Context, k key) *flight {
	f, ok := v.flights[k]
	if !ok {
		// Detached from the first caller's cancellation, which must not fail the
		// others, but not from its values, such as a trace.
		run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, start: time.Now(), done: make(chan struct{})}
		v.flights[k] = f
		go v.runFlight(run, k, f)
	}
	f.waiters++
	return f
}

// leaveFlight stops waiting. The last caller to leave cancels the call.
func (v *Vendor) leaveFlight(k key, f *flight) {
	v.mu.Lock()
	f.waiters--
	last := f.waiters == 0
	if last {
		v.removeFlight(k, f)
	}
	v.mu.Unlock()
	if last {
		f.cancel(errAbandoned)
		<-f.done
	}
}

func (v *Vendor) runFlight(ctx context.Context, k key, f *flight) {
	defer close(f.done)
	defer f.cancel(nil)
	limit, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	f.creds, f.err = v.assumeRole(limit, k)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.removeFlight(k, f)
	if f.err == nil {
		v.cache.put(k, f.creds)
	}
}

// removeFlight ensures that no more callers join f. The caller holds mu.
func (v *Vendor) removeFlight(k key, f *flight) {
	if v.flights[k] == f {
		delete(v.flights, k)
	}
}

func (v *Vendor) assumeRole(ctx context.Context, k key) (aws.Credentials, error) {
	policy, err := buildPolicy(k.scope, k.purpose, v.resources)
	if err != nil {
		return aws.Credentials{}, err
	}
	out, err := v.client.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn:         &v.role.arn,
		RoleSessionName: aws.String(SessionName(k.scope, k.purpose)),
		Policy:          &policy,
		DurationSeconds: aws.Int32(int32(v.opt.Duration / time.Second)),
	})
	if _, packed := errors.AsType[*types.PackedPolicyTooLargeException](err); packed {
		return aws.Credentials{}, fmt.Errorf("%w, packed: %w", errTooLong, err)
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	if out == nil || out.Credentials == nil {
		return aws.Credentials{}, fmt.Errorf("%w: credentials are missing", errAnswer)
	}
	c := aws.Credentials{
		AccessKeyID:     aws.ToString(out.Credentials.AccessKeyId),
		SecretAccessKey: aws.ToString(out.Credentials.SecretAccessKey),
		SessionToken:    aws.ToString(out.Credentials.SessionToken),
		Expires:         aws.ToTime(out.Credentials.Expiration),
		CanExpire:       true,
		Source:          "carrel/scope/credential",
		AccountID:       v.role.account,
	}
	// Credentials without a token would not be narrowed by a policy.
	if !c.HasKeys() || c.SessionToken == "" {
		return aws.Credentials{}, fmt.Errorf("%w: part of the credentials is missing", errAnswer)
	}
	if time.Until(c.Expires) <= 0 {
		return aws.Credentials{}, fmt.Errorf("%w: credentials expired at %v", errAnswer, c.Expires.UTC().Format(time.RFC3339))
	}
	return c, nil
}
