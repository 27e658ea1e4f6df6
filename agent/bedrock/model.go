package bedrock

import (
	"context"
	"errors"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/carrel-go/carrel/agent"
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
// service answers. Leaving the loop, or cancelling the context, closes the connection and ends the SDK's goroutines
// before the loop is left.
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

	out, err := m.openStream(w, in)
	if err != nil {
		return mapOutputError(r, m.mapCallError(ctx, w, err))
	}
	stream := out.GetStream()
	defer func() {
		w.stop()
		_ = stream.Close()
		for range stream.Events() { // wait until the SDK's reader has ended
		}
	}()
	return m.readEvents(ctx, w, stream, yield)
}

// readEvents reads the events of a stream until it ends or yield returns false.
func (m *Model) readEvents(
	ctx context.Context, w *watchdog, stream *bedrockruntime.ConverseStreamEventStream, yield func(agent.Delta) bool,
) error {
	var a accumulator
	for events := stream.Events(); ; {
		w.beat()
		select {
		case <-w.ctx.Done():
			return m.mapCallError(ctx, w, context.Cause(w.ctx))
		case ev, ok := <-events:
			w.pause()
			if !ok {
				if err := stream.Err(); err != nil || ctx.Err() != nil || w.hasExpired() {
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
		}
	}
}

// openStream sends the request. Concurrent streams of one client race inside the SDK's event decoder (smithy-go issue
// 714), which belongs to the client's protocol, so each stream gets a fresh protocol. Everything else is the caller's
// client unchanged, with the state that it keeps between calls.
//
// A host whose clock is wrong learns the offset from the first refusal. The SDK's retryer then repeats the request;
// openStream repeats it once in case the retryer is disabled.
func (m *Model) openStream(
	w *watchdog, in *bedrockruntime.ConverseStreamInput,
) (*bedrockruntime.ConverseStreamOutput, error) {
	call := func() (out *bedrockruntime.ConverseStreamOutput, err error) {
		onOwnStack(func() {
			out, err = m.client.ConverseStream(w.ctx, in, func(o *bedrockruntime.Options) {
				if _, ok := o.Protocol.(*restjson1.Protocol); ok {
					o.Protocol = restjson1.New(schemas.AmazonBedrockFrontendService)
				}
				o.HTTPClient = beatingClient{next: o.HTTPClient, w: w}
			})
		})
		return out, err
	}
	out, err := call()
	if err != nil && isClockSkew(err) && w.ctx.Err() == nil {
		return call()
	}
	return out, err
}
