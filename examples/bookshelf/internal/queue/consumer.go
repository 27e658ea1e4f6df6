package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// HandleTime is how long the function may take over a message.
	HandleTime = 30 * time.Second

	// MaxWait is the longest that SQS waits for messages to come.
	MaxWait = 20 * time.Second

	batch      = 10               // messages at once: the most that SQS gives
	answerTime = 10 * time.Second // for an answer, beyond the wait
	firstPause = time.Second      // after a receive that failed; doubled with each
	longPause  = 30 * time.Second
)

// ErrInvalid: an option that no consumer can be made of. The text says which.
var ErrInvalid = errors.New("invalid option")

// Client is what a [Consumer] calls of *sqs.Client.
type Client interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Options of [New]. Nil is valid.
type Options struct {
	// Wait is how long one call waits for messages, in whole seconds, 1 s to MaxWait. Default: MaxWait.
	Wait time.Duration

	// Log gets, at Warn, each message that was not dealt with and each call that failed. Default: nothing is logged.
	Log *slog.Logger
}

// Consumer takes messages from one queue. Several may, in one process or in many.
type Consumer struct {
	client Client
	url    string
	handle func(context.Context, []byte) error
	wait   time.Duration
	log    *slog.Logger
}

// New returns a consumer of the queue at this URL. handle is called for up to ten messages at once, with a context
// that ends after HandleTime, and not with Run's: what has begun is finished. A wait that is not possible is ErrInvalid.
func New(client Client, url string, handle func(ctx context.Context, body []byte) error, o *Options) (*Consumer, error) {
	c := &Consumer{client: client, url: url, handle: handle, wait: MaxWait, log: slog.New(slog.DiscardHandler)}
	if o != nil && o.Log != nil {
		c.log = o.Log
	}
	if o != nil && o.Wait != 0 {
		c.wait = o.Wait
	}
	if c.wait < time.Second || c.wait > MaxWait || c.wait%time.Second != 0 {
		return nil, fmt.Errorf("queue: new: %w: a wait of %v; 1s to %v are possible, in whole seconds", ErrInvalid, c.wait, MaxWait)
	}
	return c, nil
}

// Run takes messages until ctx ends, and returns when those that it has taken have been dealt with. A queue that does
// not answer is asked again, after a second at first and half a minute at last; so is one of whose messages none could be
// dealt with, as when a table is away: each delivery in vain brings a message closer to the dead letter queue.
func (c *Consumer) Run(ctx context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		began := time.Now()
		messages, err := c.receive(ctx)
		longer := min(max(2*pause, firstPause), longPause)
		switch {
		case ctx.Err() != nil && len(messages) == 0:
			return
		case err != nil:
			pause = longer
			c.log.WarnContext(ctx, "the queue did not answer", "queue", c.url, "err", err, "again_in", pause)
		case len(messages) == 0 && time.Since(began) < firstPause/2: // it does not wait: it must not be asked without end
			pause = firstPause
		case len(messages) > 0 && c.all(ctx, messages) == 0:
			pause = longer
		default:
			pause = 0
		}
		if pause > 0 {
			select {
			case <-time.After(pause/2 + rand.N(pause/2)): //nolint:gosec // so that not all ask at once: it need not be unforeseeable
			case <-ctx.Done():
			}
		}
	}
}

func (c *Consumer) receive(ctx context.Context) ([]types.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait+answerTime)
	defer cancel()
	out, err := c.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &c.url, MaxNumberOfMessages: batch, WaitTimeSeconds: int32(c.wait / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// all deals with the messages side by side, waits, and returns how many it could deal with.
func (c *Consumer) all(ctx context.Context, messages []types.Message) int {
	ctx = context.WithoutCancel(ctx)
	var done atomic.Int64
	var wg sync.WaitGroup
	for _, m := range messages {
		wg.Go(func() {
			if c.one(ctx, m) {
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return int(done.Load())
}

// one reports whether the message has been dealt with.
func (c *Consumer) one(ctx context.Context, m types.Message) bool {
	about := []any{"queue", c.url, "message", aws.ToString(m.MessageId), "received", m.Attributes["ApproximateReceiveCount"]}
	if err := c.handled(ctx, m); err != nil {
		c.log.WarnContext(ctx, "a message was not dealt with, and stays in the queue", append(about, "err", err)...)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := c.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &c.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
		c.log.WarnContext(ctx, "a message was dealt with and not deleted: it comes again", append(about, "err", err)...)
	}
	return true
}

func (c *Consumer) handled(ctx context.Context, m types.Message) error {
	if m.Body == nil {
		return errors.New("queue: a message without a body")
	}
	ctx, cancel := context.WithTimeout(ctx, HandleTime)
	defer cancel()
	return c.handle(ctx, []byte(*m.Body))
}
