package arrivals_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tracking"
)

// topicMessage wraps a message as SNS does.
func topicMessage(t *testing.T, message []byte) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:123456789012:uploads",
		"Message": string(message), "Timestamp": "2026-01-02T03:04:05.678Z",
	})
	require.NoError(t, err)
	return raw
}

// bridgeEvent returns the event of EventBridge about an object.
func bridgeEvent(t *testing.T, key string) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": "e", "detail-type": "Object Created", "source": "aws.s3", "time": "2026-01-02T03:04:05Z",
		"detail": map[string]any{
			"version": "0", "bucket": map[string]any{"name": "landing"},
			"object": map[string]any{"key": key, "size": 1, "etag": "0123456789abcdef", "sequencer": "0055aed6dcd90281e5"},
		},
	})
	require.NoError(t, err)
	return raw
}

// Events arrive the same way in every envelope that S3's notifications take.
func TestEveryEnvelopeIsRecorded(t *testing.T) {
	t.Parallel()
	const name = "Ein Buch + café.png"
	for envelope, wrap := range map[string]func(*testing.T, scope.Scope) []byte{
		"S3": func(t *testing.T, s scope.Scope) []byte { return notification(t, [2]string{s.Prefix(), name}) },
		"SNS": func(t *testing.T, s scope.Scope) []byte {
			return topicMessage(t, notification(t, [2]string{s.Prefix(), name}))
		},
		"EventBridge": func(t *testing.T, s scope.Scope) []byte { return bridgeEvent(t, s.Prefix()+name) },
		"EventBridge over SNS": func(t *testing.T, s scope.Scope) []byte {
			return topicMessage(t, bridgeEvent(t, s.Prefix()+name))
		},
	} {
		t.Run(envelope, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			session := b.granted(name, time.Hour)
			b.put(session, name, 1)
			message := wrap(t, session)
			require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
			require.NoError(t, b.recorder.HandleMessage(t.Context(), message))
			st := b.stage(session)
			require.Equal(t, tracking.StateSuccess, st.State)
			require.EqualValues(t, 1, st.Fence)
			require.Empty(t, b.refused.take())
			require.ErrorIs(t, b.recorder.HandleMessage(t.Context(), topicMessage(t, topicMessage(t, message))), presign.ErrEvent)
			require.Len(t, b.refused.take(), 1)
		})
	}
}

// A queue with duplicates, forgeries and poison brings every upload, and the poison to the dead letter queue.
func TestConsumerRecordsUploadsAmongForgedMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, q := newBundle(t), &queue{}
		var sessions []scope.Scope
		for i := range 30 {
			s := b.granted(fmt.Sprint(i, ".png"), time.Hour)
			b.put(s, fmt.Sprint(i, ".png"), 1)
			sessions = append(sessions, s)
		}
		const poison = 7
		for i := range poison {
			q.put(aws.String(fmt.Sprintf(`{"Records":[%d]}`, i)))
		}
		for i, s := range sessions {
			message := notification(t, [2]string{s.Prefix(), fmt.Sprint(i, ".png")})
			q.put(aws.String(string(message)))
			q.put(aws.String(string(topicMessage(t, message))))
			q.put(aws.String(string(notification(t, [2]string{s.Prefix(), "other.png"}))))
		}
		b.rows.broken.Store(true) // the first deliveries fail
		go func() { time.Sleep(5 * time.Second); b.rows.broken.Store(false) }()
		before := b.rows.puts.Load()
		c, err := arrivals.NewConsumer(q, "https://sqs.example/q", b.recorder.HandleMessage, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		c.Run(ctx)
		for _, s := range sessions {
			st := b.stage(s)
			require.Equal(t, tracking.StateSuccess, st.State)
			require.EqualValues(t, 1, st.Fence)
		}
		require.Equal(t, before+30, b.rows.puts.Load())
		require.Zero(t, q.left())
		require.Len(t, q.dead, poison)
	})
}
