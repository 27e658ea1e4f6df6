package bedrock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// closing counts the calls of Close of a body.
type closing struct {
	io.Reader
	closes atomic.Int32
}

func (c *closing) Close() error {
	c.closes.Add(1)
	return nil
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func modelOver(client bedrockruntime.HTTPClient, set ...func(*bedrockruntime.Options)) *Model {
	set = append(set, func(o *bedrockruntime.Options) { o.HTTPClient = client })
	return must(New(bt.NewClient("http://localhost", set...), "any-model", nil))
}

func respond(body io.ReadCloser, length int64) clientFunc {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, ContentLength: length, Request: r}, nil
	}
}

func addDeserialize(id string, f func(middleware.DeserializeOutput) (middleware.DeserializeOutput, error)) func(*bedrockruntime.Options) {
	m := middleware.DeserializeMiddlewareFunc(id, func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, md, err := next.HandleDeserialize(ctx, in)
		if err == nil {
			out, err = f(out)
		}
		return out, md, err
	})
	return func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(m, middleware.After) })
	}
}

// The body of an answer is closed once, however the stream ends.
func TestTheBodyIsClosedOnce(t *testing.T) {
	t.Parallel()
	answer := func() *closing { return &closing{Reader: bytes.NewReader(answerOf(3))} }
	t.Run("end", func(t *testing.T) {
		body := answer()
		require.NoError(t, drain(t.Context(), modelOver(respond(body, -1))))
		require.Equal(t, int32(1), body.closes.Load())
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		body := answer()
		body.Reader = io.MultiReader(io.LimitReader(body.Reader, 200), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, ctx.Err()
		}))
		require.Equal(t, context.Canceled, drain(ctx, modelOver(respond(body, -1))))
		require.Equal(t, int32(1), body.closes.Load())
	})
	t.Run("error of a middleware", func(t *testing.T) {
		body := answer()
		fail := addDeserialize("fail", func(out middleware.DeserializeOutput) (middleware.DeserializeOutput, error) {
			return out, errors.New("no")
		})
		require.Error(t, drain(t.Context(), modelOver(respond(body, -1), fail)))
		require.Equal(t, int32(1), body.closes.Load())
	})
	t.Run("panic of a middleware", func(t *testing.T) {
		body := answer()
		fail := addDeserialize("fail", func(middleware.DeserializeOutput) (middleware.DeserializeOutput, error) { panic("no") })
		require.Panics(t, func() { _ = drain(t.Context(), modelOver(respond(body, -1), fail)) })
		require.Equal(t, int32(1), body.closes.Load())
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Logging of responses works with a response of known length.
func TestResponsesCanBeLogged(t *testing.T) {
	t.Parallel()
	answer := answerOf(1)
	m := modelOver(respond(io.NopCloser(bytes.NewReader(answer)), int64(len(answer))), func(o *bedrockruntime.Options) {
		o.ClientLogMode = aws.LogResponseWithBody
	})
	require.NoError(t, drain(t.Context(), m))
}

// An HTTP client that returns neither a response nor an error is an error.
func TestNoResponseIsAnError(t *testing.T) {
	t.Parallel()
	m := modelOver(clientFunc(func(*http.Request) (*http.Response, error) { return nil, nil })) //nolint:nilnil // a faulty client
	require.ErrorAs(t, drain(t.Context(), m), new(*agent.ModelError))
}

// A body that a middleware has put in place of the client's is not read.
func TestABodyOfAMiddlewareIsAnError(t *testing.T) {
	t.Parallel()
	body := &closing{Reader: bytes.NewReader(answerOf(3))}
	replace := middleware.DeserializeMiddlewareFunc("replace", func(
		context.Context, middleware.DeserializeInput, middleware.DeserializeHandler,
	) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
		out.RawResponse = &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}}
		return out, md, nil
	})
	m := modelOver(nil, func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(replace, middleware.After) })
	})
	var me *agent.ModelError
	require.ErrorAs(t, drain(t.Context(), m), &me)
	require.Equal(t, agent.CodeInternal, me.Code)
	require.Positive(t, body.closes.Load(), "the SDK's stream has ended")
}

// The end of a tunnel is not the end of the answer.
func TestAWrappedEndIsTruncated(t *testing.T) {
	t.Parallel()
	body := io.MultiReader(bytes.NewReader(answerOf(1)), readerFunc(func([]byte) (int, error) {
		return 0, fmt.Errorf("tunnel: %w", io.EOF)
	}))
	var me *agent.ModelError
	require.ErrorAs(t, drain(t.Context(), modelOver(respond(io.NopCloser(body), -1))), &me)
	require.Equal(t, agent.CodeTruncated, me.Code)
}

// A middleware that answers in place of the service does not bring an event stream.
func TestAnAnswerWithoutARequestIsAnError(t *testing.T) {
	t.Parallel()
	answer := middleware.FinalizeMiddlewareFunc("answer", func(
		context.Context, middleware.FinalizeInput, middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		return middleware.FinalizeOutput{Result: &bedrockruntime.ConverseStreamOutput{}}, middleware.Metadata{}, nil
	})
	m := modelOver(nil, func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Finalize.Add(answer, middleware.Before) })
	})
	var me *agent.ModelError
	require.ErrorAs(t, drain(t.Context(), m), &me)
	require.Equal(t, agent.CodeInternal, me.Code)
}

// An HTTP client may leave out the body of a response that does not have one.
func TestAResponseWithoutABodyIsTruncated(t *testing.T) {
	t.Parallel()
	var me *agent.ModelError
	require.ErrorAs(t, drain(t.Context(), modelOver(respond(nil, 0))), &me)
	require.Equal(t, agent.CodeTruncated, me.Code)
}
