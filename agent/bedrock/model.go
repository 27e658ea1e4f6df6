package bedrock

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/carrel-go/carrel/agent"
)

// Model is one Bedrock model or inference profile. It does not change, and is safe for concurrent use.
type Model struct {
	base bedrockruntime.Options
	id   string
	o    Options
	err  error // why no request can be good

	schemas schemas
}

var _ agent.Model = (*Model)(nil)

// New returns the model with the given id, which may be a model id, an inference profile or the ARN of one.
// The client's configuration is copied, its HTTP client and its retryer are shared.
//
// Options that the service would refuse in every request, and the ARN of a prompt of Prompt management, make every
// Stream fail with [agent.InvalidCall].
func New(c *bedrockruntime.Client, id string, o *Options) *Model {
	if o == nil {
		o = &Options{}
	}
	m := &Model{base: c.Options(), id: id, o: o.clone(), err: o.check(id)}
	if m.o.IdleTimeout == 0 {
		m.o.IdleTimeout = defaultIdleTimeout
	}
	if m.o.MaxTokens <= 0 {
		m.o.MaxTokens = defaultMaxTokens
	}
	return m
}

// Info implements [agent.Described].
func (m *Model) Info() agent.ModelInfo { return agent.ModelInfo{Provider: "aws.bedrock", Model: m.id} }

// Stream implements [agent.Model] by one call of ConverseStream for each loop over the result. It blocks until the
// service answers. Leaving the loop, or cancelling the context, closes the connection and ends the SDK's goroutines
// before the loop is left.
//
// The last yield is an [agent.StopPart] (an [agent.UsagePart] may follow), or one error: the context's own error if
// the caller cancelled it, otherwise an [*agent.ModelError]. An [agent.UsePart] or an [agent.ReasoningPart] is yielded
// when the service has closed its block, never from a part of one.
//
// The request's media are read before the call, in the caller's goroutine. More or larger ones than the service takes
// in a message are [agent.InvalidCall], and nothing is sent.
func (m *Model) Stream(ctx context.Context, r *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		left := false
		err := m.converse(ctx, r, func(d agent.Delta) bool {
			left = !yield(d, nil)
			return !left
		})
		if err != nil && !left {
			yield(nil, err)
		}
	}
}

// converse makes the call and gives each delta to yield until that returns false.
func (m *Model) converse(ctx context.Context, r *agent.Request, yield func(agent.Delta) bool) error {
	in, err := m.input(ctx, r)
	if err != nil {
		return err
	}
	w := watch(ctx, m.o.IdleTimeout)
	defer w.stop()

	out, err := m.client(w).ConverseStream(w.ctx, in)
	if err != nil {
		return m.failed(ctx, w, err)
	}
	stream := out.GetStream()
	defer func() {
		w.stop()
		_ = stream.Close()
		for range stream.Events() { // until the SDK's reader has ended
		}
	}()
	return m.follow(ctx, w, stream, yield)
}

// follow takes the events of a stream until it has ended, or yield returns false.
func (m *Model) follow(ctx context.Context, w *watchdog, stream *bedrockruntime.ConverseStreamEventStream, yield func(agent.Delta) bool) error {
	var a answer
	for events := stream.Events(); ; {
		w.beat()
		select {
		case <-w.ctx.Done():
			return m.failed(ctx, w, context.Cause(w.ctx))
		case ev, ok := <-events:
			w.rest()
			if !ok {
				if err := stream.Err(); err != nil || ctx.Err() != nil || w.expired() {
					return m.broken(ctx, w, err)
				}
				return a.end()
			}
			d, err := a.take(ev)
			if err != nil {
				return err
			}
			if d != nil && !yield(d) {
				return nil
			}
		}
	}
}

// client derives a client for one stream. Concurrent streams of one client race inside the SDK's event decoder
// (smithy-go issue 714), which belongs to the client's protocol: each stream gets a fresh one. All else is exactly
// what the caller configured; in particular it is not resolved from the environment a second time.
func (m *Model) client(w *watchdog) *bedrockruntime.Client {
	return bedrockruntime.New(m.base, func(o *bedrockruntime.Options) {
		fresh := o.Protocol
		*o = m.base.Copy()
		o.Protocol = fresh
		o.HTTPClient = pulse{next: o.HTTPClient, w: w}
	})
}
