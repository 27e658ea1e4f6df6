package bedrock_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// A middleware that answers in place of the service does not bring an event stream.
func TestAnAnswerWithoutARequestIsAnError(t *testing.T) {
	t.Parallel()
	answer := middleware.FinalizeMiddlewareFunc("answer", func(
		context.Context, middleware.FinalizeInput, middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		return middleware.FinalizeOutput{Result: &bedrockruntime.ConverseStreamOutput{}}, middleware.Metadata{}, nil
	})
	client := bt.NewClient("http://localhost", func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Finalize.Add(answer, middleware.Before) })
	})
	m, err := bedrock.New(client, "any-model", nil)
	require.NoError(t, err)
	_, err = collect(t, t.Context(), m, ask("?"))
	require.Equal(t, agent.CodeInternal, modelError(t, err).Code)
}

type bodiless struct{}

func (bodiless) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}, nil
}

// An HTTP client may leave out the body of a response that does not have one.
func TestAResponseWithoutABodyIsTruncated(t *testing.T) {
	t.Parallel()
	client := bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = bodiless{} })
	m, err := bedrock.New(client, "any-model", nil)
	require.NoError(t, err)
	_, err = collect(t, t.Context(), m, ask("?"))
	require.Equal(t, agent.CodeTruncated, modelError(t, err).Code)
}
