package bedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/bedrock/internal/memnet"
	"github.com/carrel-go/carrel/internal/must"
)

// denied is a message of the service that names a role, an account and a resource.
const denied = "User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: " +
	"bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:us-east-1:111122223333:inference-profile/reader"

// requireSafe: nothing of the service's text, which names roles, accounts, resources and hosts, may be shown.
func requireSafe(t *testing.T, me *agent.ModelError) {
	t.Helper()
	for _, secret := range []string{"arn:", "111122223333", "memnet", "reader", "http:"} {
		require.NotContains(t, me.Message, secret)
	}
	require.NotEmpty(t, me.Message)
	require.Error(t, me.Err, "the cause is for the log")
}

func TestHTTPErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status    int
		name      string
		message   string
		code      agent.Code
		want      string
		retryable bool
		attempts  int
	}{
		{429, "ThrottlingException", denied, agent.CodeThrottled, "ThrottlingException: too many requests (HTTP 429)", true, 3},
		{429, "ModelNotReadyException", "wait", agent.CodeUnavailable, "ModelNotReadyException: the model is not ready yet (HTTP 429)", true, 1},
		{400, "ServiceQuotaExceededException", "quota", agent.CodeThrottled, "ServiceQuotaExceededException: the account's quota is used up (HTTP 400)", false, 1},
		{403, "AccessDeniedException", denied, agent.CodeAccessDenied, "AccessDeniedException: access to the model is denied (HTTP 403)", false, 1},
		{403, "UnrecognizedClientException", "The security token is invalid", agent.CodeAccessDenied, "The model service did not accept the credentials (HTTP 403).", false, 1},
		{403, "ExpiredTokenException", "expired", agent.CodeAccessDenied, "The model service did not accept the credentials (HTTP 403).", false, 1},
		{400, "ValidationException", denied, agent.CodeInvalidCall, "ValidationException: the model service refused the request (HTTP 400)", false, 1},
		{400, "ValidationException", "Input is too long for requested model.", agent.CodeContextFull, "ValidationException: the conversation is too long for the model (HTTP 400)", false, 1},
		{400, "ValidationException", "prompt tokens (9) exceed model maximum (8)", agent.CodeContextFull, "ValidationException: the conversation is too long for the model (HTTP 400)", false, 1},
		{424, "ModelErrorException", "Input Tokens Exceeded", agent.CodeContextFull, "ModelErrorException: the conversation is too long for the model (HTTP 424)", false, 1},
		{413, "RequestEntityTooLargeException", "no", agent.CodeContextFull, "The conversation is too long for the model (HTTP 413).", false, 1},
		{429, "ThrottlingException", "Too many tokens, please wait before trying again.", agent.CodeThrottled, "ThrottlingException: too many requests (HTTP 429)", true, 3},
		{404, "ResourceNotFoundException", denied, agent.CodeInvalidCall, "ResourceNotFoundException: the model was not found (HTTP 404)", false, 1},
		{408, "ModelTimeoutException", "slow", agent.CodeTimeout, "ModelTimeoutException: the model took too long (HTTP 408)", true, 1},
		{424, "ModelErrorException", "oh", agent.CodeUnavailable, "ModelErrorException: the model failed (HTTP 424)", true, 1},
		{500, "InternalServerException", "oh", agent.CodeUnavailable, "InternalServerException: the model service failed (HTTP 500)", true, 3},
		{503, "ServiceUnavailableException", "oh", agent.CodeUnavailable, "ServiceUnavailableException: the model service is not available (HTTP 503)", true, 3},
		{418, "arn:aws:iam::111122223333:role/teapot", "short", agent.CodeInvalidCall, "The model service refused the request (HTTP 418).", false, 1},
		{424, "NobodyKnowsException", "dependency", agent.CodeUnavailable, "The model service failed (HTTP 424).", true, 1},
		{429, "NobodyKnowsException", "short", agent.CodeThrottled, "The model service has too many requests (HTTP 429).", true, 1},
	} {
		t.Run(c.name+" "+c.message, func(t *testing.T) {
			script := bt.NewScript(bt.Forever(bt.Fail(c.status, c.name, c.message)))
			bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
				got, err := collect(t, t.Context(), m, ask("?"))
				require.Empty(t, got)
				me := modelError(t, err)
				requireSafe(t, me)
				require.Equal(t, c.code, me.Code)
				require.Equal(t, c.want, me.Message)
				require.Equal(t, c.retryable, me.Retryable)
				require.Len(t, script.Requests(), c.attempts)
				require.Zero(t, sdkGoroutines(t))
			})
		})
	}
}

func TestErrorPagesOfAProxy(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>upstream http://10.0.0.7 failed</html>"))
	})
	bubble(t, page, nil, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, ask("?"))
		me := modelError(t, err)
		requireSafe(t, me)
		require.Equal(t, agent.CodeUnavailable, me.Code)
		require.Equal(t, "The model service failed (HTTP 502).", me.Message)
	})
}

func TestStreamExceptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		piece     bt.Piece
		code      agent.Code
		want      string
		retryable bool
	}{
		{bt.Exception("ThrottlingException", denied), agent.CodeThrottled, "ThrottlingException: too many requests (HTTP 429)", true},
		{bt.Exception("ModelStreamErrorException", denied), agent.CodeUnavailable, "ModelStreamErrorException: the model failed while it answered", true},
		{bt.Exception("InternalServerException", "oh"), agent.CodeUnavailable, "InternalServerException: the model service failed", true},
		{bt.Exception("ServiceUnavailableException", "oh"), agent.CodeUnavailable, "ServiceUnavailableException: the model service is not available", true},
		{bt.Exception("ValidationException", "oh"), agent.CodeInvalidCall, "ValidationException: the model service refused the request", false},
		{bt.Exception("ValidationException", "too many total text bytes: 9 > 8"), agent.CodeContextFull, "ValidationException: the conversation is too long for the model", false},
		{bt.Exception("ModelStreamErrorException", "Input is too long"), agent.CodeContextFull, "ModelStreamErrorException: the conversation is too long for the model", false},
		{bt.Exception("ThrottlingException", "Too many tokens per minute"), agent.CodeThrottled, "ThrottlingException: too many requests (HTTP 429)", true},
		{bt.Exception("AccessDeniedException", denied), agent.CodeAccessDenied, "AccessDeniedException: access to the model is denied", false},
		{bt.Exception("NobodyKnowsException", denied), agent.CodeUnavailable, "The model service failed.", true},
	} {
		t.Run(c.want, func(t *testing.T) {
			script := bt.NewScript(bt.Reply(bt.Text("It is"), c.piece))
			bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
				got, err := collect(t, t.Context(), m, ask("?"))
				require.Equal(t, []agent.Delta{agent.TextDelta{Text: "It is"}}, got)
				me := modelError(t, err)
				requireSafe(t, me)
				require.Equal(t, c.code, me.Code)
				require.Equal(t, c.want, me.Message)
				require.Equal(t, c.retryable, me.Retryable)
				require.Len(t, script.Requests(), 1, "nothing is retried once the stream is open")
			})
		})
	}
}

// An error frame, which has a code but not the type of an exception, ends the stream.
func TestErrorFrames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, message string
		code          agent.Code
		want          string
		isRetryable   bool
	}{
		{"validationError", "context_length_exceeded", agent.CodeContextFull, "The conversation is too long for the model.", false},
		{"internalFailure", denied, agent.CodeUnavailable, "The model service failed.", true},
	} {
		var stream bytes.Buffer
		stream.Write(record(t, bt.Reply(bt.Text("It is"), bt.Truncate())))
		require.NoError(t, eventstream.NewEncoder().Encode(&stream, eventstream.Message{Headers: eventstream.Headers{
			{Name: ":message-type", Value: eventstream.StringValue("error")},
			{Name: ":error-code", Value: eventstream.StringValue(c.name)},
			{Name: ":error-message", Value: eventstream.StringValue(c.message)},
		}}))
		answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			_, _ = w.Write(stream.Bytes())
		})
		bubble(t, answer, nil, func(t *testing.T, m *bedrock.Model) {
			got, err := collect(t, t.Context(), m, ask("?"))
			require.Equal(t, []agent.Delta{agent.TextDelta{Text: "It is"}}, got)
			me := modelError(t, err)
			requireSafe(t, me)
			require.Equal(t, c.code, me.Code)
			require.Equal(t, c.want, me.Message)
			require.Equal(t, c.isRetryable, me.Retryable)
		})
	}
}

// The SDK's retries happen before the stream is open; the answer is complete.
func TestRetriesBeforeTheStream(t *testing.T) {
	t.Parallel()
	script := bt.NewScript(bt.Throttled(), bt.Dropped(), bt.Reply(bt.Text("hello")))
	bubble(t, script, nil, func(t *testing.T, m *bedrock.Model) {
		got, err := collect(t, t.Context(), m, ask("?"))
		require.NoError(t, err)
		require.Equal(t, agent.TextDelta{Text: "hello"}, got[0])
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	bubble(t, bt.NewScript(bt.Times(3, bt.Dropped())), nil, func(t *testing.T, m *bedrock.Model) {
		_, err := collect(t, t.Context(), m, ask("?"))
		me := modelError(t, err)
		requireSafe(t, me)
		require.Equal(t, agent.CodeUnavailable, me.Code)
		require.True(t, me.Retryable)
	})
	refuse := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("dial %s: connection refused", memnet.URL)
	}}}
	_, err := collect(t, t.Context(), newModel(refuse, nil), ask("?"))
	me := modelError(t, err)
	requireSafe(t, me)
	require.Equal(t, agent.CodeUnavailable, me.Code)
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	client := bt.NewClient(memnet.URL, func(o *bedrockruntime.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("assume role arn:aws:iam::111122223333:role/reader: denied")
		})
	})
	_, err := collect(t, t.Context(), must.Get(bedrock.New(client, "any-model", nil)), ask("?"))
	me := modelError(t, err)
	requireSafe(t, me)
	require.Equal(t, agent.CodeInternal, me.Code)
}

// Silence, before the headers or after a delta, ends the stream after the idle time.
func TestSilence(t *testing.T) {
	t.Parallel()
	const idle = 7 * time.Second
	for name, step := range map[string]bt.Step{
		"before the headers": bt.Silent(),
		"after the headers":  bt.Reply(bt.Stall()),
		"after a delta":      bt.Reply(bt.Text("It is"), bt.Stall()),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, bt.NewScript(step), &bedrock.Options{IdleTimeout: idle}, func(t *testing.T, m *bedrock.Model) {
				start := time.Now()
				_, err := collect(t, t.Context(), m, ask("?"))
				me := modelError(t, err)
				require.Equal(t, agent.CodeTimeout, me.Code)
				require.Equal(t, "The model service was silent for 7s.", me.Message)
				require.True(t, me.Retryable)
				require.InDelta(t, idle.Seconds(), time.Since(start).Seconds(), 0.1)
				require.Zero(t, sdkGoroutines(t))
			})
		})
	}
	t.Run("by default a minute", func(t *testing.T) {
		bubble(t, bt.NewScript(bt.Silent()), nil, func(t *testing.T, m *bedrock.Model) {
			start := time.Now()
			_, err := collect(t, t.Context(), m, ask("?"))
			require.Equal(t, agent.CodeTimeout, modelError(t, err).Code)
			require.InDelta(t, 60, time.Since(start).Seconds(), 0.1)
		})
	})
}

// A live stream may be slow, its consumer too, and retries may take their time: none of it is silence.
func TestSlowIsNotSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tick := make(chan struct{})
		go func() {
			for range 10 {
				<-time.After(6 * time.Second)
				tick <- struct{}{}
			}
		}()
		var pieces []bt.Piece
		for range 10 {
			pieces = append(pieces, bt.Wait(tick), bt.Text("x"))
		}
		client, stop := memnet.Serve(bt.NewScript(bt.Reply(pieces...)))
		defer stop()
		got, err := collect(t, t.Context(), newModel(client, &bedrock.Options{IdleTimeout: 7 * time.Second}), ask("?"))
		require.NoError(t, err)
		require.Len(t, got, 12)
	})
	t.Run("retries", func(t *testing.T) {
		n := 0
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			<-time.After(5 * time.Second)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		bubble(t, slow, &bedrock.Options{IdleTimeout: 7 * time.Second}, func(t *testing.T, m *bedrock.Model) {
			_, err := collect(t, t.Context(), m, ask("?"))
			require.Equal(t, agent.CodeUnavailable, modelError(t, err).Code)
			require.Equal(t, 3, n)
		})
	})
	t.Run("consumer", func(t *testing.T) {
		script := bt.NewScript(bt.Reply(bt.Text("a", "b", "c")))
		bubble(t, script, &bedrock.Options{IdleTimeout: time.Second}, func(t *testing.T, m *bedrock.Model) {
			n := 0
			for _, err := range m.Stream(t.Context(), ask("?")) {
				require.NoError(t, err)
				<-time.After(time.Minute)
				n++
			}
			require.Equal(t, 5, n)
		})
	})
}

// The caller's deadline is returned unchanged, and the HTTP client's timeout differs from silence.
func TestOtherTimeouts(t *testing.T) {
	t.Parallel()
	t.Run("deadline", func(t *testing.T) {
		bubble(t, bt.NewScript(bt.Reply(bt.Text("a"), bt.Stall())), nil, func(t *testing.T, m *bedrock.Model) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := collect(t, ctx, m, ask("?"))
			require.Equal(t, context.DeadlineExceeded, err)
		})
	})
	synctest.Test(t, func(t *testing.T) {
		client, stop := memnet.Serve(bt.NewScript(bt.Reply(bt.Text("a"), bt.Stall())))
		defer stop()
		client.Timeout = 3 * time.Second
		_, err := collect(t, t.Context(), newModel(client, nil), ask("?"))
		me := modelError(t, err)
		require.Equal(t, agent.CodeTimeout, me.Code)
		require.Equal(t, "The connection to the model service timed out.", me.Message)
	})
}
