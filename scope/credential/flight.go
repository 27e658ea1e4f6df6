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

var errLeft = errors.New("credential: everybody who waited has left")

// flight is one call of STS and those who wait for it. They own its goroutine:
// it ends before the last of them leaves.
type flight struct {
	waiters int // guarded by Vendor.mu
	cancel  context.CancelCauseFunc

	done  chan struct{}
	creds aws.Credentials // to be read once done is closed
	err   error
}

// join returns the flight for k, a new one where there is none. The caller
// holds mu, and waits for the flight or leaves it.
func (v *Vendor) join(ctx context.Context, k key) *flight {
	f, ok := v.flights[k]
	if !ok {
		// Detached from the first who asks: the others are not to fail with it.
		// Its values (a trace) stay.
		run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		f = &flight{cancel: cancel, done: make(chan struct{})}
		v.flights[k] = f
		go v.fly(run, k, f)
	}
	f.waiters++
	return f
}

// leave gives up waiting. The last to leave ends the call; who comes after
// starts another.
func (v *Vendor) leave(k key, f *flight) {
	v.mu.Lock()
	f.waiters--
	last := f.waiters == 0
	if last {
		v.forget(k, f)
	}
	v.mu.Unlock()
	if last {
		f.cancel(errLeft)
		<-f.done
	}
}

func (v *Vendor) fly(ctx context.Context, k key, f *flight) {
	defer close(f.done)
	defer f.cancel(nil)
	limit, cancel := context.WithTimeout(ctx, v.opt.Timeout)
	defer cancel()
	f.creds, f.err = v.assume(limit, k)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget(k, f)
	if f.err == nil {
		v.cache.put(k, f.creds)
	}
}

// forget holds that f takes no more waiters. The caller holds mu.
func (v *Vendor) forget(k key, f *flight) {
	if v.flights[k] == f {
		delete(v.flights, k)
	}
}

func (v *Vendor) assume(ctx context.Context, k key) (aws.Credentials, error) {
	policy, err := build(k.scope, k.purpose, v.resources)
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
		return aws.Credentials{}, fmt.Errorf("%w, packed: %w", ErrTooLong, err)
	}
	if err != nil {
		return aws.Credentials{}, err
	}
	if out == nil || out.Credentials == nil {
		return aws.Credentials{}, fmt.Errorf("%w: no credentials", ErrAnswer)
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
	// Without a token they would be somebody's own, and narrowed by nothing.
	if !c.HasKeys() || c.SessionToken == "" {
		return aws.Credentials{}, fmt.Errorf("%w: part of the credentials is missing", ErrAnswer)
	}
	if time.Until(c.Expires) <= 0 {
		return aws.Credentials{}, fmt.Errorf("%w: it expires at %v", ErrAnswer, c.Expires.UTC().Format(time.RFC3339))
	}
	return c, nil
}
