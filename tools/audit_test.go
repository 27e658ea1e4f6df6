package tools

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func mustAudit(t testing.TB, sink func(context.Context, AuditRecord), o *AuditOptions) Middleware {
	t.Helper()
	mw, err := Audit(sink, o)
	require.NoError(t, err)
	return mw
}

func TestAuditNeedsASink(t *testing.T) {
	t.Parallel()
	mw, err := Audit(nil, nil)
	require.EqualError(t, err, "tools: audit: sink must not be nil")
	require.Nil(t, mw)
}

func TestAuditRecordsEachOutcome(t *testing.T) {
	t.Parallel()
	type in struct {
		Title string `json:"title"`
		Login struct {
			Name     string `json:"name"`
			Password string `json:"password"`
			APIToken *int   `json:"apiToken"`
		} `json:"login"`
		ISBN  string    `json:"isbn"`
		Price []float64 `json:"price,omitempty"`
	}
	synctest.Test(t, func(t *testing.T) {
		var trail []AuditRecord
		sink := func(ctx context.Context, r AuditRecord) {
			require.NoError(t, ctx.Err())
			trail = append(trail, r)
		}
		tool := mustNew(t, func(context.Context, *Call, in) (Result, error) {
			time.Sleep(time.Second)
			return Result{Summary: strings.Repeat("ü", 300)}, nil
		}, mustAudit(t, sink, &AuditOptions{Redact: []string{"ISBN"}}))
		acme := tenant(t, "acme")
		began := time.Now()
		_, err := tool.Call(t.Context(), NewCall(CallOptions{
			Scope: acme, ID: "c1", Name: "my_t", IdempotencyKey: "k",
			Args: []byte(`{"title":"` + strings.Repeat("m", 257) + `","login":{"name":"<ann>","password":"hunter2","apiToken":7},"isbn":"0306406152","price":[1.50, 1e2]}`),
		}))
		require.NoError(t, err)
		require.Equal(t, []AuditRecord{{
			Tool: "my_t", Call: "c1", IdempotencyKey: "k", Scope: acme,
			Input:   json.RawMessage(`{"isbn":"[redacted]","login":{"apiToken":"[redacted]","name":"\u003cann\u003e","password":"[redacted]"},"price":[1.50,1e2],"title":"` + strings.Repeat("m", 256) + `… (257 bytes)"}`),
			Summary: strings.Repeat("ü", 256) + "… (600 bytes)", Began: began, Took: time.Second, Outcome: "ok",
		}}, trail)
	})
}

// However a call ends, there is one record of it.
func TestAuditRecordsPanicsAndCancelledCalls(t *testing.T) {
	t.Parallel()
	failure := errors.New("disk full")
	ended := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for want, f := range map[string]func(ctx context.Context) (Result, error){
		"ok":         func(context.Context) (Result, error) { return Result{}, nil },
		"error":      func(context.Context) (Result, error) { return Result{IsError: true}, nil },
		"correction": func(context.Context) (Result, error) { return Result{}, Correct("x") },
		"timeout": func(context.Context) (Result, error) {
			return Result{}, &timeoutError{Tool: "t", After: 1, Err: failure}
		},
		"pending":   func(context.Context) (Result, error) { return Result{}, &PendingError{Reason: "x"} },
		"failed":    func(context.Context) (Result, error) { return Result{}, failure },
		"fatal":     func(context.Context) (Result, error) { return Result{}, Fatal(failure) },
		"panic":     func(context.Context) (Result, error) { panic(failure) },
		"cancelled": func(ctx context.Context) (Result, error) { return Result{}, ended(ctx) },
	} {
		t.Run(want, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if want == "cancelled" {
				cancel(errors.New("stopped by a person"))
			}
			var trail []AuditRecord
			_, err := mustNew(t, func(ctx context.Context, _ *Call, _ struct{}) (Result, error) { return f(ctx) },
				mustAudit(t, func(ctx context.Context, r AuditRecord) { require.NoError(t, ctx.Err()); trail = append(trail, r) }, nil)).
				Call(ctx, NewCall(CallOptions{Args: []byte(`{}`)}))
			require.Len(t, trail, 1)
			require.Equal(t, want, trail[0].Outcome)
			if p, ok := errors.AsType[*PanicError](err); ok {
				require.Equal(t, failure, p.Value)
				require.Contains(t, string(p.Stack), "TestAuditRecordsPanicsAndCancelledCalls", "the stack is that of the panic")
				require.EqualError(t, trail[0].Err, err.Error())
				return
			}
			require.Equal(t, err, trail[0].Err)
		})
	}
}

func TestAuditRecordsGoexit(t *testing.T) {
	t.Parallel()
	var trail []AuditRecord
	tool := does(t, func(context.Context, *Call) (string, error) { runtime.Goexit(); return "", nil },
		mustAudit(t, func(_ context.Context, r AuditRecord) { trail = append(trail, r) }, nil))
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = call(tool, `{}`) })
	wg.Wait()
	require.Len(t, trail, 1)
	require.Equal(t, "panic", trail[0].Outcome)
}

func TestRedactedInputIsJSON(t *testing.T) {
	t.Parallel()
	r := newRedactor(&AuditOptions{Redact: []string{"cardNumber"}})
	for args, want := range map[string]string{
		``:                 `"[0 bytes that are not JSON]"`,
		`{`:                `"[1 bytes that are not JSON]"`,
		`{}{}`:             `"[4 bytes that are not JSON]"`,
		"{} \n":            `{}`,
		`{"b":1,"a":null}`: `{"a":null,"b":1}`,
		`{"list":[` + strings.Repeat(`1,`, 4091) + `1]}`: `"[8194 bytes]"`,
		`{"list":[` + strings.Repeat(`1,`, 4090) + `1]}`: `{"list":[` + strings.Repeat(`1,`, 4090) + `1]}`,
		`{"session_token":{"deep":"x"},"tokens":3}`:      `{"session_token":"[redacted]","tokens":3}`,
		`[{"Authorization":"Bearer x"}]`:                 `[{"Authorization":"[redacted]"}]`,
		`{"CARDNUMBER":{"a":1},"card":2}`:                `{"CARDNUMBER":"[redacted]","card":2}`,
		`{"n":12345678901234567890}`:                     `{"n":12345678901234567890}`,
	} {
		got := r.redactInput(json.RawMessage(args))
		require.Equal(t, want, string(got))
	}
}

// Which names tell that their values are secret: whole words, one or more of a kind.
func TestSecretNamesAreRedacted(t *testing.T) {
	t.Parallel()
	r := newRedactor(&AuditOptions{Redact: []string{"Isbn"}})
	for _, name := range []string{"password", "Passwords", "userPassword", "pwd", "access_token", "client-secrets", "api_key", "apiKeys",
		"APIKey", "private_key", "accessKeyId", "credentials", "cookies", "pin", "isbn"} {
		require.True(t, r.isSecret(name), name)
	}
	for _, name := range []string{"title", "pinned", "max_tokens", "keyboard", "sort_key", "tokenizer", "pass", "apiary", "secretary", "isbns"} {
		require.False(t, r.isSecret(name), name)
	}
}
