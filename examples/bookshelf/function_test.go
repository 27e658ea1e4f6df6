package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"
)

func newFunction(handler http.HandlerFunc) *function {
	nothing := func(context.Context) error { return nil }
	return &function{
		handler: handler, takeOver: nothing, sweep: nothing, log: slog.New(slog.DiscardHandler),
		settle: func(soft, hard context.Context) error { return nil },
	}
}

// request returns the event of a request of a function's URL.
func request(t *testing.T, path string) json.RawMessage {
	t.Helper()
	var r events.LambdaFunctionURLRequest
	r.RawPath, r.RequestContext.DomainName, r.RequestContext.HTTP.Method = path, "shelf.example", http.MethodGet
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	return raw
}

func TestAbortedResponseOfAFunctionIsNotComplete(t *testing.T) {
	t.Parallel()
	for name, aborts := range map[string]bool{"aborted": true, "complete": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFunction(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "half")
				if aborts {
					panic(http.ErrAbortHandler)
				}
			})
			res, err := f.invoke(t.Context(), request(t, "/"))
			require.NoError(t, err)
			body, err := io.ReadAll(res.(*events.LambdaFunctionURLStreamingResponse).Body)
			require.Equal(t, "half", string(body))
			require.Equal(t, aborts, err != nil, "%v", err)
		})
	}
}

// The streams of an invocation end, and its runs are handed over, before its deadline. Its response ends when they are.
func TestInvocationLeavesItsRunsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ length, soft, hard time.Duration }{
		{15 * time.Minute, 15*time.Minute - handOverTime, 15*time.Minute - interruptTime},
		{10 * time.Second, 5 * time.Second, 7500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFunction(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "x") })
			begin := time.Now()
			f.settle = func(soft, hard context.Context) error {
				<-soft.Done()
				require.Equal(t, c.soft, time.Since(begin))
				<-hard.Done()
				require.Equal(t, c.hard, time.Since(begin))
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.length)
			defer cancel()
			res, err := f.invoke(ctx, request(t, "/"))
			require.NoError(t, err)
			_, err = io.ReadAll(res.(io.Reader))
			require.NoError(t, err)
			require.Equal(t, c.hard, time.Since(begin))
		})
	}
}

func TestOnlyRequestsForRunsContinueRuns(t *testing.T) {
	t.Parallel()
	taken := 0
	f := newFunction(func(http.ResponseWriter, *http.Request) {})
	f.takeOver = func(context.Context) error { taken++; return nil }
	for path, isForRun := range map[string]int{
		"/": 0, "/api/ops/files": 0, "/api/chats": 0, "/api/runs/x/events": 1,
		"/api/chat": 1, "/api/chat/agui": 1, "/api/chat/aisdk": 1, "/api/chat/aisdk/x/stream": 1,
	} {
		before := taken
		res, err := f.invoke(t.Context(), request(t, path))
		require.NoError(t, err)
		_, err = io.ReadAll(res.(io.Reader))
		require.NoError(t, err)
		require.Equal(t, before+isForRun, taken, path)
	}
	before := taken
	_, err := f.invoke(t.Context(), json.RawMessage(`{"source":"aws.scheduler"}`))
	require.NoError(t, err)
	require.Equal(t, before+1, taken)
}

func TestMessagesThatFailAreDeliveredAgain(t *testing.T) {
	t.Parallel()
	f := newFunction(nil)
	f.arrive = func(_ context.Context, message []byte) error {
		if string(message) == "bad" {
			return errors.New("unreadable")
		}
		return nil
	}
	res, err := f.invoke(t.Context(), json.RawMessage(`{"Records":[{"messageId":"1","body":"good"},{"messageId":"2","body":"bad"}]}`))
	require.NoError(t, err)
	raw, err := json.Marshal(res)
	require.NoError(t, err)
	require.JSONEq(t, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, string(raw))
}

func TestInvalidEventsAreErrors(t *testing.T) {
	t.Parallel()
	for _, event := range []string{`[]`, `{"requestContext":3}`, `{"Records":{}}`, `{`} {
		_, err := newFunction(nil).invoke(t.Context(), json.RawMessage(event))
		require.Error(t, err, fmt.Sprint(event))
	}
}
