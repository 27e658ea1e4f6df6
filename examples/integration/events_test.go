package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// queueBackends lists the backends that have SQS.
var queueBackends = []backend.Kind{backend.Moto, backend.LocalStack}

// needQueue skips a test if the backend does not have SQS.
func needQueue(t *testing.T) {
	t.Helper()
	if !slices.Contains(queueBackends, servers.Kind) {
		t.Skipf("%s=%s does not have queues: skipping its tests", backend.Variable, servers.Kind)
	}
}

// hasNotifications reports whether the S3 of the backend notifies a queue of uploads like AWS. The messages of moto
// have unencoded keys and times without a zone, so the tests send the messages of AWS themselves.
func hasNotifications() bool { return servers.Kind != backend.Moto }

// eventQueue is the queue of the notifications of a bucket, with its dead-letter queue.
type eventQueue struct {
	t           *testing.T
	sqs         *sqs.Client
	queue, dead string // URLs
}

// newEventQueue creates the queues. A message is delivered at most twice, a second apart.
func newEventQueue(t *testing.T, name string) (p *eventQueue, arn string) {
	t.Helper()
	o := servers.S3.Options()
	p = &eventQueue{t: t, sqs: sqs.New(sqs.Options{BaseEndpoint: o.BaseEndpoint, Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient})}
	createQueue := func(name string, attributes map[string]string) (url, arn string) {
		q, err := p.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		require.NoError(t, err)
		a, err := p.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
		require.NoError(t, err)
		t.Cleanup(func() {
			_, _ = p.sqs.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: q.QueueUrl})
		})
		return *q.QueueUrl, a.Attributes["QueueArn"]
	}
	var deadARN string
	p.dead, deadARN = createQueue(name+"-dead", nil)
	p.queue, arn = createQueue(name, map[string]string{
		"VisibilityTimeout": "1", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, deadARN),
	})
	return p, arn
}

func (p *eventQueue) sendMessage(body string) {
	p.t.Helper()
	_, err := p.sqs.SendMessage(p.t.Context(), &sqs.SendMessageInput{QueueUrl: &p.queue, MessageBody: &body})
	require.NoError(p.t, err)
}

// countMessages returns the number of messages in a queue, visible or not.
func (p *eventQueue) countMessages(queue string) (n int) {
	p.t.Helper()
	out, err := p.sqs.GetQueueAttributes(p.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	require.NoError(p.t, err)
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		var v int
		_, err := fmt.Sscan(out.Attributes[name], &v)
		require.NoError(p.t, err)
		n += v
	}
	return n
}

// waitUntil waits up to a minute until a condition holds.
func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(limit), what)
	}
}

// startOnQueue creates the buckets, the table and a queue that the landing bucket notifies, and starts the program with
// them. If onAWS is false, the program runs without -aws and uses the endpoints of the environment.
func (s *shelf) startOnQueue(onAWS bool) *eventQueue {
	s.t.Helper()
	ctx, o := s.t.Context(), servers.S3.Options()
	landing := s.name + "-landing"
	for _, bucket := range []string{landing, s.name + "-raw"} {
		require.NoError(s.t, presigntest.EnsureBucket(ctx, servers.S3, bucket))
	}
	require.NoError(s.t, dynamo.CreateTable(ctx, servers.DynamoDB, s.name, &dynamo.TableOptions{Listed: tracking.Listed()}))
	p, arn := newEventQueue(s.t, s.name)
	if hasNotifications() {
		_, err := servers.S3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
			Bucket: &landing, NotificationConfiguration: &s3types.NotificationConfiguration{
				QueueConfigurations: []s3types.QueueConfiguration{{QueueArn: &arn, Events: []s3types.Event{"s3:ObjectCreated:*"}}},
			},
		})
		require.NoError(s.t, err)
	}

	variable := "AWS_ENDPOINT_URL_SQS"
	if onAWS {
		variable = "AWS_ENDPOINT_URL"
	}
	env := append(s.buildEnv(), variable+"="+*o.BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true")
	s.runProgram(env, fmt.Sprint("-aws=", onAWS), "-sweep", "1h", "-events-queue", p.queue, "-events-wait", "1s")
	return p
}

// requestGrant requests a grant and returns a function that uploads the file.
func (s *shelf) requestGrant(name string) (session, key string, put func() int) {
	s.t.Helper()
	g := s.requestJSON(http.MethodGet, "/api/upload/presigned?"+url.Values{"filename": {name}}.Encode(), nil)
	header := http.Header{}
	for name, value := range g["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	return g["session_id"].(string), g["key"].(string), func() int {
		status, _ := s.sendRequest(g["method"].(string), g["url"].(string), []byte("a cover"), header.Clone())
		return status
	}
}

// uploadStage returns the only stage of a record without an extraction, and the time of the last update of the record.
func (s *shelf) uploadStage(session string) (stage map[string]any, updated string) {
	s.t.Helper()
	file := s.requestJSON(http.MethodGet, "/api/ops/files/"+session, nil)["file"].(map[string]any)
	require.Equal(s.t, "IN_PROGRESS", file["current_status"])
	stages := file["stage_progress"].([]any)
	require.Len(s.t, stages, 1, "the record has no other stage")
	return stages[0].(map[string]any), file["updated_at"].(string)
}

// eventMessage returns the message that S3 sends when an object was created.
func (s *shelf) eventMessage(key string) string {
	s.t.Helper()
	b, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-01-02T03:04:05.000Z",
		"s3": map[string]any{
			"bucket": map[string]any{"name": s.name + "-landing"},
			"object": map[string]any{"key": url.QueryEscape(key), "size": 7, "eTag": "00"},
		},
	}}})
	require.NoError(s.t, err)
	return string(b)
}

// notifyUpload sends the event of an upload if the backend does not.
func (s *shelf) notifyUpload(p *eventQueue, key string) {
	s.t.Helper()
	if !hasNotifications() {
		p.sendMessage(s.eventMessage(key))
	}
}

// wrapInSNS returns the message in the envelope of SNS without raw message delivery.
func wrapInSNS(t *testing.T, message string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "Message": message,
		"TopicArn": "arn:aws:sns:eu-central-1:123456789012:uploads", "Subject": "Amazon S3 Notification",
		"Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
	})
	require.NoError(t, err)
	return string(b)
}

// Each upload is recorded once. Repeated, foreign and invalid messages do not change a record.
func TestQueueEventsRecordUploads(t *testing.T) {
	t.Parallel()
	needQueue(t)
	s := newShelf(t)
	p := s.startOnQueue(true)
	session, key, put := s.requestGrant("cover.png")
	upload, _ := s.uploadStage(session)
	require.Equal(t, "in_progress", upload["status"])
	require.Equal(t, http.StatusOK, put())
	s.notifyUpload(p, key)
	waitUntil(t, "the upload is not recorded", func() bool {
		upload, _ = s.uploadStage(session)
		return upload["status"] == "success"
	})
	require.Equal(t, key, upload["destination"].(map[string]any)["key"])
	_, updated := s.uploadStage(session)

	// The same message again, a file without a grant, a file that does not exist, an invalid event and another tenant.
	awaited, other, _ := s.requestGrant("Ein Buch + café.png")
	for range 5 {
		p.sendMessage(s.eventMessage(key))
	}
	foreign := strings.TrimSuffix(key, "cover.png") + "foreign.png"
	_, err := servers.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.name + "-landing"), Key: &foreign, Body: strings.NewReader("x")})
	require.NoError(t, err)
	s.notifyUpload(p, foreign)
	p.sendMessage(s.eventMessage(other))
	p.sendMessage(`{"Records":[{"eventSource":"aws:s3"}]}`)
	p.sendMessage(s.eventMessage(strings.Replace(key, "tenant=demo", "tenant=globex", 1)))
	waitUntil(t, "the queue is not empty, or the dead-letter queue is", func() bool {
		return p.countMessages(p.queue) == 0 && p.countMessages(p.dead) > 0
	})
	require.Equal(t, 1, p.countMessages(p.dead))
	upload, again := s.uploadStage(session)
	require.Equal(t, updated, again, "the record has changed")
	require.Equal(t, key, upload["destination"].(map[string]any)["key"])
	upload, _ = s.uploadStage(awaited)
	require.Equal(t, "in_progress", upload["status"], "an event does not prove an upload")

	// A name that is encoded in the event.
	_, err = servers.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.name + "-landing"), Key: &other, Body: strings.NewReader("x")})
	require.NoError(t, err)
	if !hasNotifications() {
		p.sendMessage(wrapInSNS(t, s.eventMessage(other))) // like a topic between the bucket and the queue
	}
	waitUntil(t, "the second upload is not recorded", func() bool {
		upload, _ = s.uploadStage(awaited)
		return upload["status"] == "success"
	})
	began := time.Now()
	s.stop()
	require.Less(t, time.Since(began), 20*time.Second)
}

// The program runs without -aws and uses the queue of the environment.
func TestQueueEventsRecordUploadsWithoutAWS(t *testing.T) {
	t.Parallel()
	needQueue(t)
	s := newShelf(t)
	p := s.startOnQueue(false)
	session, key, put := s.requestGrant("cover.png")
	require.Equal(t, http.StatusOK, put())
	s.notifyUpload(p, key)
	waitUntil(t, "the upload is not recorded", func() bool {
		upload, _ := s.uploadStage(session)
		return upload["status"] == "success"
	})
	s.stop()
}

// The program does not start if a bucket or the table does not exist.
func TestProgramOnAWSCreatesNothing(t *testing.T) {
	t.Parallel()
	needQueue(t)
	s := newShelf(t)
	startError := func() string {
		env := append(s.buildEnv(), "AWS_ENDPOINT_URL="+*servers.S3.Options().BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true")
		c := s.newCommand(t.Context(), env, "-aws")
		out, err := c.CombinedOutput()
		require.Error(t, err)
		return string(out)
	}
	require.Contains(t, startError(), s.name+"-landing")
	for _, bucket := range []string{"-landing", "-raw"} {
		require.NoError(t, presigntest.EnsureBucket(t.Context(), servers.S3, s.name+bucket))
	}
	require.Contains(t, startError(), "-aws does not create it")
	tables, err := servers.DynamoDB.ListTables(t.Context(), nil)
	require.NoError(t, err)
	require.NotContains(t, tables.TableNames, s.name)
}
