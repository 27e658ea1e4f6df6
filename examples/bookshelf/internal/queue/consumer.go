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
	// HandleTime is the time limit of the function for one message.
	HandleTime = 30 * time.Second

	// MaxWait is the longest time that SQS waits for messages.
	MaxWait = 20 * time.Second

	batch      = 10               // messages at once: the limit of SQS
	answerTime = 10 * time.Second // for a response, after the wait
	firstPause = time.Second      // after a failed receive; doubled each time
	longPause  = 30 * time.Second
)

// ErrInvalid is returned for an invalid option.
var ErrInvalid = errors.New("invalid option")

// Client contains the methods of *sqs.Client that a [Consumer] calls.
type Client interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Options configures [New]. Nil means the defaults.
type Options struct {
	// Wait is how long one call waits for messages, in whole seconds, 1 s to MaxWait. Zero means MaxWait.
	Wait time.Duration

	// Log receives each failed message and each failed call, at Warn. If nil, nothing is logged.
	Log *slog.Logger
}

// Consumer receives messages from one queue. A queue may have several consumers, in one process or in many.
type Consumer struct {
	client Client
	url    string
	handle func(context.Context, []byte) error
	wait   time.Duration
	log    *slog.Logger
}

// New returns a consumer of the queue at this URL. It calls handle for up to ten messages at once. The context of handle
// ends after HandleTime, but not with Run's, so that every started call can finish. An invalid wait returns ErrInvalid.
func New(client Client, url string, handle func(ctx context.Context, body []byte) error, o *Options) (*Consumer, error) {
	c := &Consumer{client: client, url: url, handle: handle, wait: MaxWait, log: slog.New(slog.DiscardHandler)}
	if o != nil && o.Log != nil {
		c.log = o.Log
	}
	if o != nil && o.Wait != 0 {
		c.wait = o.Wait
	}
	if c.wait < time.Second || c.wait > MaxWait || c.wait%time.Second != 0 {
		return nil, fmt.Errorf("queue: new: %w: wait %v: must be 1s to %v, in whole seconds", ErrInvalid, c.wait, MaxWait)
	}
	return c, nil
}

// Run handles messages until ctx ends and those in flight are done. If the queue does not answer, Run retries after a
// second, and then backs off to half a minute. It also backs off if all messages of a batch fail, for example because
// the table is unavailable: each failed delivery brings a message closer to the dead letter queue.
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
			c.log.WarnContext(ctx, "receive messages", "queue", c.url, "err", err, "again_in", pause)
		case len(messages) == 0 && time.Since(began) < firstPause/2: // the queue does not wait, so avoid a busy loop
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

// all handles the messages concurrently and returns the number of successes.
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

// one handles a message and reports whether it succeeded.
func (c *Consumer) one(ctx context.Context, m types.Message) bool {
	about := []any{"queue", c.url, "message", aws.ToString(m.MessageId), "received", m.Attributes["ApproximateReceiveCount"]}
	if err := c.handled(ctx, m); err != nil {
		c.log.WarnContext(ctx, "message failed and stays in the queue", append(about, "err", err)...)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := c.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &c.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
		c.log.WarnContext(ctx, "message handled but not deleted; it will be delivered again", append(about, "err", err)...)
	}
	return true
}

func (c *Consumer) handled(ctx context.Context, m types.Message) error {
	if m.Body == nil {
		return errors.New("queue: message without a body")
	}
	ctx, cancel := context.WithTimeout(ctx, HandleTime)
	defer cancel()
	return c.handle(ctx, []byte(*m.Body))
}
