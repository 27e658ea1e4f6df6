package bedrock

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/ownstack"
)

// Model is one Bedrock model or inference profile. It is immutable and safe for concurrent use.
type Model struct {
	client *bedrockruntime.Client
	id     string
	o      Options

	thinking thinkingConfig
	schemas  schemaCache
}

var _ agent.Model = (*Model)(nil)

// New returns the model with the given id: a model id, an inference profile id, or the ARN of either. The Model uses c
// for every stream, so it keeps the state of c, such as the offset of the host's clock.
//
// The Model reads the body of a response itself, below the middleware of c, which sees an empty one. To observe or
// replace bodies, wrap the HTTP client of c.
//
// It returns an error if c is nil, if an option is invalid, and if id is empty, longer than 2,048 characters or the ARN
// of a prompt of Prompt management, which an agent cannot use.
func New(c *bedrockruntime.Client, id string, o *Options) (*Model, error) {
	if c == nil {
		return nil, errors.New("bedrock: the client must not be nil")
	}
	if o == nil {
		o = &Options{}
	}
	if err := checkID(id); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Model{client: c, id: id, o: o.withDefaults(), thinking: readThinking(o.AdditionalModelRequestFields)}, nil
}

// Info implements [agent.Described]. The limits are those of the service and of its stricter models.
func (m *Model) Info() agent.ModelInfo {
	return agent.ModelInfo{Provider: "aws.bedrock", Model: m.id, StructuredOutput: true, Limits: m.requestLimits()}
}

// Stream implements [agent.Model] by one call of ConverseStream for each loop over the result. It blocks until the
// service answers. The events are read in the caller's goroutine: the SDK's reader has ended before the first one.
// Leaving the loop, or cancelling the context, closes the connection.
//
// The last yield is an [agent.StopPart] (an [agent.UsageReport] may follow), or one error: the context's own error if
// the caller cancelled it, otherwise an [*agent.ModelError]. An [agent.UsePart] or an [agent.ReasoningPart] is yielded
// when the service has closed its block, never from a part of one.
//
// The request's media are read before the call, in the caller's goroutine. If a message has more or larger media than
// the service accepts, Stream fails with [agent.CodeInvalidCall] and [ErrLimit], and sends nothing.
func (m *Model) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		left := false
		err := m.callConverse(ctx, r, func(d agent.Delta) bool {
			left = !yield(d, nil)
			return !left
		})
		if err != nil && !left {
			yield(nil, err)
		}
	}
}

// callConverse makes the call and passes each delta to yield until yield returns false.
func (m *Model) callConverse(ctx context.Context, r *agent.Request, yield func(agent.Delta) bool) error {
	in, err := m.newInput(ctx, r)
	if err != nil {
		return err
	}
	w := startWatchdog(ctx, m.o.IdleTimeout)
	defer w.stop()

	events, err := m.openStream(w, in)
	if err != nil {
		return mapOutputError(r, m.mapCallError(ctx, w, err))
	}
	defer events.end()
	*in = bedrockruntime.ConverseStreamInput{} // free its memory: the SDK's context refers to in until the stream ends
	return m.readEvents(ctx, w, events, yield)
}

// readEvents reads the events of a stream until it ends or yield returns false.
func (m *Model) readEvents(ctx context.Context, w *watchdog, events *eventReader, yield func(agent.Delta) bool) error {
	var a accumulator
	for {
		w.beat()
		ev, err := events.next()
		w.pause()
		if err != nil {
			isEnd := err == io.EOF //nolint:errorlint // a wrapped one is that of something below the answer
			if !isEnd || ctx.Err() != nil || w.hasExpired() {
				return m.mapStreamError(ctx, w, err)
			}
			return a.checkEnd()
		}
		deltas, err := a.addEvent(ev)
		for _, d := range deltas {
			if !yield(d) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if err := w.ctx.Err(); err != nil {
			return m.mapCallError(ctx, w, context.Cause(w.ctx))
		}
	}
}

// openStream sends the request. Concurrent streams of one client race inside the SDK's event decoder (smithy-go issue
// 714), which belongs to the client's protocol, so each stream gets a fresh protocol. Everything else is the caller's
// client unchanged, with the state that it keeps between calls.
//
// A host whose clock is wrong learns the offset from the first refusal. The SDK's retryer then repeats the request;
// openStream repeats it once in case the retryer is disabled.
func (m *Model) openStream(w *watchdog, in *bedrockruntime.ConverseStreamInput) (*eventReader, error) {
	call := func() (events *eventReader, err error) {
		ownstack.Call(ownstack.KB32, func() { events, err = m.sendRequest(w, in) })
		return events, err
	}
	events, err := call()
	if err != nil && isClockSkew(err) && w.ctx.Err() == nil {
		return call()
	}
	return events, err
}

// sendRequest calls the SDK and returns a reader of the response's body.
func (m *Model) sendRequest(w *watchdog, in *bedrockruntime.ConverseStreamInput) (*eventReader, error) {
	var keeper bodyKeeper
	defer keeper.close()
	var protocol smithyhttp.ClientProtocol
	out, err := m.client.ConverseStream(w.ctx, in, func(o *bedrockruntime.Options) {
		if _, ok := o.Protocol.(*restjson1.Protocol); ok {
			o.Protocol = restjson1.New(schemas.AmazonBedrockFrontendService)
		}
		protocol, keeper.next = o.Protocol, beatingClient{next: o.HTTPClient, w: w}
		o.HTTPClient = &keeper
	})
	if err != nil {
		return nil, err
	}
	endStream(out.GetStream())
	body := keeper.take()
	if body == nil {
		return nil, errors.New("bedrock: the response did not come from the client's HTTP client")
	}
	return newEventReader(w.ctx, body, protocol), nil
}
