package arrivals_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
)

// queue is an SQS queue with a visibility timeout, and a dead letter queue beyond a number of deliveries.
type queue struct {
	mu         sync.Mutex
	waiting    []types.Message
	hidden     map[string]hidden // by receipt
	count      map[string]int    // deliveries, by message
	dead       []string
	calls      []*sqs.ReceiveMessageInput
	at         []time.Time // of the calls
	broken     bool        // receives fail
	lossy      bool        // so do deletions
	hasty      bool        // it never waits
	deliveries int
}

type hidden struct {
	m     types.Message
	until time.Time
}

const (
	visibility  = time.Minute
	maxReceives = 3
)

func (q *queue) put(body *string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, types.Message{Body: body, MessageId: aws.String(fmt.Sprint("m", len(q.count)+len(q.waiting)))})
}

func (q *queue) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	q.mu.Lock()
	q.calls, q.at = append(q.calls, in), append(q.at, time.Now())
	broken, hasty := q.broken, q.hasty
	q.mu.Unlock()
	if broken {
		return nil, errors.New("no route to host")
	}
	for began := time.Now(); ; {
		if out := q.take(int(in.MaxNumberOfMessages)); len(out) > 0 || hasty || time.Since(began) >= time.Duration(in.WaitTimeSeconds)*time.Second {
			return &sqs.ReceiveMessageOutput{Messages: out}, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *queue) take(n int) (out []types.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for receipt, h := range q.hidden {
		if !time.Now().Before(h.until) {
			q.waiting = append(q.waiting, h.m)
			delete(q.hidden, receipt)
		}
	}
	if q.hidden == nil {
		q.hidden, q.count = map[string]hidden{}, map[string]int{}
	}
	for len(q.waiting) > 0 && len(out) < n {
		m := q.waiting[0]
		q.waiting = q.waiting[1:]
		if q.count[*m.MessageId] == maxReceives {
			q.dead = append(q.dead, *m.MessageId)
			continue
		}
		q.count[*m.MessageId]++
		q.deliveries++
		m.ReceiptHandle = aws.String(fmt.Sprint("r", q.deliveries))
		q.hidden[*m.ReceiptHandle] = hidden{m, time.Now().Add(visibility)}
		out = append(out, m)
	}
	return out
}

func (q *queue) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lossy {
		return nil, errors.New("no route to host")
	}
	delete(q.hidden, *in.ReceiptHandle)
	return &sqs.DeleteMessageOutput{}, nil
}

func (q *queue) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) + len(q.hidden)
}

// running runs a consumer until the returned function is called, which waits for it.
func running(t *testing.T, q *queue, handle func(context.Context, []byte) error, o *arrivals.ConsumerOptions) (stop func()) {
	t.Helper()
	c, err := arrivals.NewConsumer(q, "https://sqs.example/q", handle, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

func TestHandledMessagesAreDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		var mu sync.Mutex
		seen := map[string]int{}
		most, now := 0, 0
		for i := range 35 {
			q.put(aws.String(fmt.Sprint("body ", i)))
		}
		stop := running(t, q, func(_ context.Context, body []byte) error {
			mu.Lock()
			seen[string(body)]++
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		}, nil)
		pass(10 * time.Second)
		require.Zero(t, q.left())
		require.Len(t, seen, 35)
		for body, n := range seen {
			require.Equal(t, 1, n, body)
		}
		require.Equal(t, 10, most, "at once")
		require.EqualValues(t, 10, q.calls[0].MaxNumberOfMessages)
		require.EqualValues(t, 20, q.calls[0].WaitTimeSeconds)
		require.Zero(t, q.calls[0].VisibilityTimeout, "the queue says how long a message is hidden")
		stop()
	})
}

// A failing message stays in the queue without blocking others, until the queue's redrive policy removes it.
func TestFailedMessagesStayInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		var log strings.Builder
		tries := 0
		q.put(aws.String("poison"))
		q.put(nil)
		for range 20 {
			q.put(aws.String("good"))
		}
		stop := running(t, q, func(_ context.Context, body []byte) error {
			if string(body) == "poison" {
				tries++
				return errors.New("not an event")
			}
			return nil
		}, &arrivals.ConsumerOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
		pass(5 * time.Second)
		require.Equal(t, 2, q.left(), "the rest is through")
		pass(10 * time.Minute)
		stop()
		require.Zero(t, q.left())
		require.Equal(t, maxReceives, tries)
		require.Len(t, q.dead, 2)
		require.Equal(t, maxReceives, strings.Count(log.String(), "not an event"), "each time it is told")
	})
}

// While nothing can be dealt with, little is taken: a backlog must not use up its deliveries on a table that is away.
func TestBacklogOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		for range 1000 {
			q.put(aws.String("body"))
		}
		back := time.Now().Add(10 * time.Minute)
		stop := running(t, q, func(context.Context, []byte) error {
			if time.Now().Before(back) {
				return errors.New("the table is away")
			}
			return nil
		}, nil)
		pass(15 * time.Minute)
		stop()
		require.Empty(t, q.dead)
		require.Zero(t, q.left())
	})
}

func TestLostDeletionRepeatsTheMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{lossy: true}
		q.put(aws.String("body"))
		n := 0
		stop := running(t, q, func(context.Context, []byte) error { n++; return nil }, nil)
		pass(visibility / 2)
		q.mu.Lock()
		q.lossy = false
		q.mu.Unlock()
		pass(2 * visibility)
		stop()
		require.Equal(t, 2, n)
		require.Zero(t, q.left())
	})
}

// An answer that does not come is asked for ever less often, and at once again when it does.
func TestConsumerBacksOffFromAFailingQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{broken: true}
		stop := running(t, q, func(context.Context, []byte) error { return nil }, nil)
		pass(time.Hour)
		require.InDelta(t, 160, len(q.at), 45, "some seconds at first, twenty or so at last")
		last := len(q.at) - 1
		require.LessOrEqual(t, q.at[1].Sub(q.at[0]), time.Second)
		require.GreaterOrEqual(t, q.at[last].Sub(q.at[last-1]), 15*time.Second)
		q.mu.Lock()
		q.broken = false
		q.mu.Unlock()
		q.put(aws.String("body"))
		pass(31 * time.Second)
		require.Zero(t, q.left())
		stop()
	})
}

// A server that answers at once with nothing is not asked without end.
func TestConsumerDoesNotBusyLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{hasty: true}
		stop := running(t, q, func(context.Context, []byte) error { return nil }, nil)
		pass(time.Minute)
		require.Less(t, len(q.at), 130)
		stop()
	})
}

// At the end, Run waits for the messages in flight and receives no more.
func TestRunWaitsForMessagesInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.put(aws.String("body"))
		begun, ended := make(chan struct{}), false
		stop := running(t, q, func(ctx context.Context, _ []byte) error {
			close(begun)
			select {
			case <-time.After(5 * time.Second):
				ended = true
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, nil)
		<-begun
		stop()
		require.True(t, ended)
		require.Zero(t, q.left(), "and it is deleted")
		began := time.Now()
		running(t, q, func(context.Context, []byte) error { return nil }, nil)()
		require.Zero(t, time.Since(began), "a wait is cut short")
	})
}

// A function that hangs is ended, and the message comes again.
func TestFunctionThatHangsIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		q.put(aws.String("body"))
		n := 0
		stop := running(t, q, func(ctx context.Context, _ []byte) error {
			if n++; n == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}, nil)
		pass(2 * visibility)
		stop()
		require.Equal(t, 2, n)
		require.Zero(t, q.left())
	})
}

func TestNewConsumerRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	client, handle := &queue{}, func(context.Context, []byte) error { return nil }
	for name, construct := range map[string]func() (*arrivals.Consumer, error){
		"client":   func() (*arrivals.Consumer, error) { return arrivals.NewConsumer(nil, "q", handle, nil) },
		"queue":    func() (*arrivals.Consumer, error) { return arrivals.NewConsumer(client, "", handle, nil) },
		"function": func() (*arrivals.Consumer, error) { return arrivals.NewConsumer(client, "q", nil, nil) },
	} {
		_, err := construct()
		require.ErrorIs(t, err, presign.ErrInvalid, name)
	}
	for _, wait := range []time.Duration{-1, time.Millisecond, 1500 * time.Millisecond, 21 * time.Second} {
		_, err := arrivals.NewConsumer(client, "q", handle, &arrivals.ConsumerOptions{Wait: wait})
		require.ErrorIs(t, err, presign.ErrInvalid)
	}
}

// pass advances the time and waits until all work has settled.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
