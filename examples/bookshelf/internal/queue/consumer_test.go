package queue_test

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

	"github.com/carrel-go/carrel/examples/bookshelf/internal/queue"
)

// fake is a queue with a visibility timeout, and a dead letter queue beyond a number of deliveries.
type fake struct {
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

func (f *fake) put(body *string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, types.Message{Body: body, MessageId: aws.String(fmt.Sprint("m", len(f.count)+len(f.waiting)))})
}

func (f *fake) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	f.mu.Lock()
	f.calls, f.at = append(f.calls, in), append(f.at, time.Now())
	broken, hasty := f.broken, f.hasty
	f.mu.Unlock()
	if broken {
		return nil, errors.New("no route to host")
	}
	for began := time.Now(); ; {
		if out := f.take(int(in.MaxNumberOfMessages)); len(out) > 0 || hasty || time.Since(began) >= time.Duration(in.WaitTimeSeconds)*time.Second {
			return &sqs.ReceiveMessageOutput{Messages: out}, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *fake) take(n int) (out []types.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for receipt, h := range f.hidden {
		if !time.Now().Before(h.until) {
			f.waiting = append(f.waiting, h.m)
			delete(f.hidden, receipt)
		}
	}
	if f.hidden == nil {
		f.hidden, f.count = map[string]hidden{}, map[string]int{}
	}
	for len(f.waiting) > 0 && len(out) < n {
		m := f.waiting[0]
		f.waiting = f.waiting[1:]
		if f.count[*m.MessageId] == maxReceives {
			f.dead = append(f.dead, *m.MessageId)
			continue
		}
		f.count[*m.MessageId]++
		f.deliveries++
		m.ReceiptHandle = aws.String(fmt.Sprint("r", f.deliveries))
		f.hidden[*m.ReceiptHandle] = hidden{m, time.Now().Add(visibility)}
		out = append(out, m)
	}
	return out
}

func (f *fake) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lossy {
		return nil, errors.New("no route to host")
	}
	delete(f.hidden, *in.ReceiptHandle)
	return &sqs.DeleteMessageOutput{}, nil
}

func (f *fake) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting) + len(f.hidden)
}

// running runs a consumer until the returned function is called, which waits for it.
func running(t *testing.T, f *fake, handle func(context.Context, []byte) error, o *queue.Options) (stop func()) {
	t.Helper()
	c, err := queue.New(f, "https://sqs.example/q", handle, o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	return func() { cancel(); <-done }
}

func TestWhatIsDealtWithIsDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var mu sync.Mutex
		seen := map[string]int{}
		most, now := 0, 0
		for i := range 35 {
			f.put(aws.String(fmt.Sprint("body ", i)))
		}
		stop := running(t, f, func(_ context.Context, body []byte) error {
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
		require.Zero(t, f.left())
		require.Len(t, seen, 35)
		for body, n := range seen {
			require.Equal(t, 1, n, body)
		}
		require.Equal(t, 10, most, "at once")
		require.EqualValues(t, 10, f.calls[0].MaxNumberOfMessages)
		require.EqualValues(t, 20, f.calls[0].WaitTimeSeconds)
		require.Zero(t, f.calls[0].VisibilityTimeout, "the queue says how long a message is hidden")
		stop()
	})
}

// A failing message stays in the queue without blocking others, until the queue's redrive policy removes it.
func TestWhatFailsIsLeftToTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		var log strings.Builder
		tries := 0
		f.put(aws.String("poison"))
		f.put(nil)
		for range 20 {
			f.put(aws.String("good"))
		}
		stop := running(t, f, func(_ context.Context, body []byte) error {
			if string(body) == "poison" {
				tries++
				return errors.New("it is no event")
			}
			return nil
		}, &queue.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		pass(5 * time.Second)
		require.Equal(t, 2, f.left(), "the rest is through")
		pass(10 * time.Minute)
		stop()
		require.Zero(t, f.left())
		require.Equal(t, maxReceives, tries)
		require.Len(t, f.dead, 2)
		require.Equal(t, maxReceives, strings.Count(log.String(), "it is no event"), "each time it is told")
	})
}

// While nothing can be dealt with, little is taken: a backlog must not use up its deliveries on a table that is away.
func TestABacklogOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		for range 1000 {
			f.put(aws.String("body"))
		}
		back := time.Now().Add(10 * time.Minute)
		stop := running(t, f, func(context.Context, []byte) error {
			if time.Now().Before(back) {
				return errors.New("the table is away")
			}
			return nil
		}, nil)
		pass(15 * time.Minute)
		stop()
		require.Empty(t, f.dead)
		require.Zero(t, f.left())
	})
}

func TestALostDeletionIsARepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{lossy: true}
		f.put(aws.String("body"))
		n := 0
		stop := running(t, f, func(context.Context, []byte) error { n++; return nil }, nil)
		pass(visibility / 2)
		f.mu.Lock()
		f.lossy = false
		f.mu.Unlock()
		pass(2 * visibility)
		stop()
		require.Equal(t, 2, n)
		require.Zero(t, f.left())
	})
}

// An answer that does not come is asked for ever less often, and at once again when it does.
func TestAQueueThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{broken: true}
		stop := running(t, f, func(context.Context, []byte) error { return nil }, nil)
		pass(time.Hour)
		require.InDelta(t, 160, len(f.at), 45, "some seconds at first, twenty or so at last")
		last := len(f.at) - 1
		require.LessOrEqual(t, f.at[1].Sub(f.at[0]), time.Second)
		require.GreaterOrEqual(t, f.at[last].Sub(f.at[last-1]), 15*time.Second)
		f.mu.Lock()
		f.broken = false
		f.mu.Unlock()
		f.put(aws.String("body"))
		pass(31 * time.Second)
		require.Zero(t, f.left())
		stop()
	})
}

// A server that answers at once with nothing is not asked without end.
func TestAQueueThatDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{hasty: true}
		stop := running(t, f, func(context.Context, []byte) error { return nil }, nil)
		pass(time.Minute)
		require.Less(t, len(f.at), 130)
		stop()
	})
}

// At the end, Run waits for the messages in flight and receives no more.
func TestTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.put(aws.String("body"))
		begun, ended := make(chan struct{}), false
		stop := running(t, f, func(ctx context.Context, _ []byte) error {
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
		require.Zero(t, f.left(), "and it is deleted")
		began := time.Now()
		running(t, f, func(context.Context, []byte) error { return nil }, nil)()
		require.Zero(t, time.Since(began), "a wait is cut short")
	})
}

// A function that hangs is ended, and the message comes again.
func TestAFunctionThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.put(aws.String("body"))
		n := 0
		stop := running(t, f, func(ctx context.Context, _ []byte) error {
			if n++; n == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}, nil)
		pass(2 * visibility)
		stop()
		require.Equal(t, 2, n)
		require.Zero(t, f.left())
	})
}

func TestWaitsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{-1, time.Millisecond, 1500 * time.Millisecond, 21 * time.Second} {
		_, err := queue.New(&fake{}, "q", nil, &queue.Options{Wait: wait})
		require.ErrorIs(t, err, queue.ErrInvalid)
	}
}

// pass advances the time and waits until all work has settled.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
