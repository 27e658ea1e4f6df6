package arrivals

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/carrel-go/carrel/internal/sleep"
)

const (
	handleTime = 30 * time.Second // for the function, for one message
	maxWait    = 20 * time.Second // the limit of SQS
	batchSize  = 10               // messages at once: the limit of SQS
	answerTime = 10 * time.Second // for a response, after the wait
	firstPause = time.Second      // after a failed receive; doubled each time
	longPause  = 30 * time.Second
)

// SQS contains the methods of *sqs.Client that a [Consumer] calls.
type SQS interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// ConsumerOptions configures [NewConsumer]. Nil means all defaults.
type ConsumerOptions struct {
	// Wait is how long one call waits for messages, in whole seconds, 1 s to
	// 20 s. Default: 20 s.
	Wait time.Duration

	// Log receives each failed message and each failed call, at Warn. If nil,
	// nothing is logged.
	Log *slog.Logger
}

// Consumer passes the messages of one SQS queue to a function and deletes those
// that succeed. A queue may have several consumers, in one process or in many.
type Consumer struct {
	client SQS
	url    string
	handle func(context.Context, []byte) error
	wait   time.Duration
	log    *slog.Logger
}

// NewConsumer returns a consumer of the queue at this URL. It calls handle, for
// example [Recorder.HandleMessage], for up to ten messages at once, and at least
// once for each message. The context of handle ends after 30 s, but not with
// Run's, so that every started call can finish. NewConsumer returns
// presign.ErrInvalid if an argument is missing or Wait is invalid.
func NewConsumer(client SQS, url string, handle func(ctx context.Context, body []byte) error,
	o *ConsumerOptions) (*Consumer, error) {
	if o == nil {
		o = &ConsumerOptions{}
	}
	c := &Consumer{client: client, url: url, handle: handle, wait: cmp.Or(o.Wait, maxWait), log: o.Log}
	switch {
	case client == nil:
		return nil, invalidError("new consumer", "client: must not be nil")
	case url == "":
		return nil, invalidError("new consumer", "queue URL: must not be empty")
	case handle == nil:
		return nil, invalidError("new consumer", "function: must not be nil")
	case c.wait < time.Second || c.wait > maxWait || c.wait%time.Second != 0:
		return nil, invalidError("new consumer", "wait %v: must be 1s to %v, in whole seconds", c.wait, maxWait)
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Run handles messages until ctx ends and those in flight are done. If the queue
// does not answer, Run retries after a second, and then backs off to half a
// minute. It also backs off if all messages of a batch fail, for example because
// the table is unavailable: each failed delivery brings a message closer to the
// dead letter queue.
func (c *Consumer) Run(ctx context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		began := time.Now()
		messages, err := c.receiveBatch(ctx)
		longer := min(max(2*pause, firstPause), longPause)
		switch {
		case ctx.Err() != nil && len(messages) == 0:
			return
		case err != nil:
			pause = longer
			c.log.WarnContext(ctx, "receive messages", "queue", c.url, "err", err, "again_in", pause)
		case len(messages) == 0 && time.Since(began) < firstPause/2: // the queue does not wait, so avoid a busy loop
			pause = firstPause
		case len(messages) > 0 && c.handleBatch(ctx, messages) == 0:
			pause = longer
		default:
			pause = 0
		}
		if pause > 0 {
			wait := pause/2 + rand.N(pause/2) //nolint:gosec // spreads consumers; not secret
			_ = sleep.For(ctx, wait)          // the loop ends with ctx
		}
	}
}

func (c *Consumer) receiveBatch(ctx context.Context) ([]types.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait+answerTime)
	defer cancel()
	out, err := c.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &c.url, MaxNumberOfMessages: batchSize, WaitTimeSeconds: int32(c.wait / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// handleBatch handles the messages concurrently and returns the number of successes.
func (c *Consumer) handleBatch(ctx context.Context, messages []types.Message) int {
	ctx = context.WithoutCancel(ctx)
	var done atomic.Int64
	var wg sync.WaitGroup
	for _, m := range messages {
		wg.Go(func() {
			if c.processMessage(ctx, m) {
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return int(done.Load())
}

// processMessage handles a message, deletes it and reports whether it succeeded.
func (c *Consumer) processMessage(ctx context.Context, m types.Message) bool {
	about := []any{"queue", c.url, "message", aws.ToString(m.MessageId), "received",
		m.Attributes["ApproximateReceiveCount"]}
	if err := c.callHandle(ctx, m); err != nil {
		c.log.WarnContext(ctx, "message failed and stays in the queue", append(about, "err", err)...)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := c.client.DeleteMessage(ctx,
		&sqs.DeleteMessageInput{QueueUrl: &c.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
		c.log.WarnContext(ctx, "message handled but not deleted; it will be delivered again", append(about, "err", err)...)
	}
	return true
}

func (c *Consumer) callHandle(ctx context.Context, m types.Message) error {
	if m.Body == nil {
		return errors.New("arrivals: message without a body")
	}
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return c.handle(ctx, []byte(*m.Body))
}
