package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
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

// queues are the backends that have SQS.
var queues = []backend.Kind{backend.Moto, backend.LocalStack}

// notifies says whether the backend's S3 tells a queue of arrivals as S3 does. Moto's messages have keys that are not
// encoded and times without a zone, so there the test sends what S3 would.
func notifies() bool { return servers.Kind != backend.Moto }

// post is a bucket's notifications: a queue and its dead letter queue.
type post struct {
	t           *testing.T
	sqs         *sqs.Client
	queue, dead string // URLs
}

// newPost makes the queues. A message that fails is tried twice, a second apart.
func newPost(t *testing.T, name string) (p *post, arn string) {
	t.Helper()
	o := servers.S3.Options()
	p = &post{t: t, sqs: sqs.New(sqs.Options{BaseEndpoint: o.BaseEndpoint, Region: o.Region, Credentials: o.Credentials, HTTPClient: o.HTTPClient})}
	make := func(name string, attributes map[string]string) (url, arn string) {
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
	p.dead, deadARN = make(name+"-dead", nil)
	p.queue, arn = make(name, map[string]string{
		"VisibilityTimeout": "1", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, deadARN),
	})
	return p, arn
}

func (p *post) send(body string) {
	p.t.Helper()
	_, err := p.sqs.SendMessage(p.t.Context(), &sqs.SendMessageInput{QueueUrl: &p.queue, MessageBody: &body})
	require.NoError(p.t, err)
}

// left is how many messages the queue holds, seen or unseen.
func (p *post) left(queue string) (n int) {
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

// eventually waits until a condition about a queue holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(limit), what)
	}
}

// startOnQueue starts the program with a queue that its landing bucket notifies: with -aws, or as one whose embedded
// parts are replaced each by itself. Its buckets and its table are there.
func (s *shelf) startOnQueue(onAWS bool) *post {
	s.t.Helper()
	ctx, o := s.t.Context(), servers.S3.Options()
	landing := s.name + "-landing"
	for _, bucket := range []string{landing, s.name + "-raw"} {
		require.NoError(s.t, presigntest.EnsureBucket(ctx, servers.S3, bucket))
	}
	require.NoError(s.t, dynamo.CreateTable(ctx, servers.DynamoDB, s.name, &dynamo.TableOptions{Listed: tracking.Listed()}))
	p, arn := newPost(s.t, s.name)
	if notifies() {
		_, err := servers.S3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
			Bucket: &landing, NotificationConfiguration: &s3types.NotificationConfiguration{
				QueueConfigurations: []s3types.QueueConfiguration{{QueueArn: &arn, Events: []s3types.Event{"s3:ObjectCreated:*"}}},
			},
		})
		require.NoError(s.t, err)
	}

	c := exec.CommandContext(context.Background(), s.program, fmt.Sprint("-aws=", onAWS), "-addr", "127.0.0.1:0", "-sweep", "1h",
		"-landing", landing, "-raw", s.name+"-raw", "-table", s.name, "-events-queue", p.queue, "-events-wait", "1s")
	variable := "AWS_ENDPOINT_URL_SQS"
	if onAWS {
		variable = "AWS_ENDPOINT_URL"
	}
	c.Env, c.Stderr = append(s.env(), variable+"="+*o.BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true"), s.t.Output()
	out, err := c.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, c.Start())
	s.stop = func() {
		s.stop = nil
		require.NoError(s.t, c.Process.Signal(syscall.SIGTERM))
		defer time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }).Stop()
		require.NoError(s.t, c.Wait(), "it ends in order")
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	s.url = regexp.MustCompile(`http://\S+`).FindString(line)
	require.NotEmpty(s.t, s.url, "it says where it is: %q", line)
	return p
}

// grant requests a grant and returns a function that uploads the file.
func (s *shelf) grant(name string) (session, key string, put func() int) {
	s.t.Helper()
	g := s.object(http.MethodGet, "/api/upload/presigned?"+url.Values{"filename": {name}}.Encode(), nil)
	header := http.Header{}
	for name, value := range g["headers"].(map[string]any) {
		header.Set(name, value.(string))
	}
	return g["session_id"].(string), g["key"].(string), func() int {
		status, _ := s.ask(g["method"].(string), g["url"].(string), []byte("a cover"), header.Clone())
		return status
	}
}

// uploading is the one stage of a record that nobody has extracted, and when the record was written last.
func (s *shelf) uploading(session string) (stage map[string]any, updated string) {
	s.t.Helper()
	file := s.object(http.MethodGet, "/api/ops/files/"+session, nil)["file"].(map[string]any)
	require.Equal(s.t, "IN_PROGRESS", file["current_status"])
	stages := file["stage_progress"].([]any)
	require.Len(s.t, stages, 1, "nobody extracts")
	return stages[0].(map[string]any), file["updated_at"].(string)
}

// message is what S3 says of an object that has come to be.
func (s *shelf) message(key string) string {
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

// tell sends the event if the store does not.
func (s *shelf) tell(p *post, key string) {
	s.t.Helper()
	if !notifies() {
		p.send(s.message(key))
	}
}

// throughSNS puts a message into the envelope that SNS makes without raw message delivery.
func throughSNS(t *testing.T, message string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "Message": message,
		"TopicArn": "arn:aws:sns:eu-central-1:123456789012:uploads", "Subject": "Amazon S3 Notification",
		"Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
	})
	require.NoError(t, err)
	return string(b)
}

// An upload is recorded because the queue tells of it, once, whatever else the queue tells.
func TestEventsFromAQueue(t *testing.T) {
	if !slices.Contains(queues, servers.Kind) {
		t.Skipf("%s=%s has no queues: events from a queue are not run", backend.Variable, servers.Kind)
	}
	s := newShelf(t)
	p := s.startOnQueue(true)
	session, key, put := s.grant("cover.png")
	upload, _ := s.uploading(session)
	require.Equal(t, "in_progress", upload["status"])
	require.Equal(t, http.StatusOK, put())
	s.tell(p, key)
	eventually(t, "the queue tells of the upload", func() bool {
		upload, _ = s.uploading(session)
		return upload["status"] == "success"
	})
	require.Equal(t, key, upload["destination"].(map[string]any)["key"])
	_, updated := s.uploading(session)

	// The same again, several times over; of a file that was not granted; of one that is not there; and no event at all.
	awaited, other, _ := s.grant("Ein Buch + café.png")
	for range 5 {
		p.send(s.message(key))
	}
	foreign := strings.TrimSuffix(key, "cover.png") + "foreign.png"
	_, err := servers.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.name + "-landing"), Key: &foreign, Body: strings.NewReader("x")})
	require.NoError(t, err)
	s.tell(p, foreign)
	p.send(s.message(other))
	p.send(`{"Records":[{"eventSource":"aws:s3"}]}`)
	p.send(s.message(strings.Replace(key, "tenant=demo", "tenant=globex", 1)))
	eventually(t, "what can be dealt with is, and what cannot is the dead letter queue's", func() bool {
		return p.left(p.queue) == 0 && p.left(p.dead) > 0
	})
	require.Equal(t, 1, p.left(p.dead))
	upload, again := s.uploading(session)
	require.Equal(t, updated, again, "nothing more was written")
	require.Equal(t, key, upload["destination"].(map[string]any)["key"])
	upload, _ = s.uploading(awaited)
	require.Equal(t, "in_progress", upload["status"], "an event is no proof")

	// A name that a URL has to encode, as the store's own notification does.
	_, err = servers.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(s.name + "-landing"), Key: &other, Body: strings.NewReader("x")})
	require.NoError(t, err)
	if !notifies() {
		p.send(throughSNS(t, s.message(other))) // as a topic between the bucket and the queue delivers it
	}
	eventually(t, "the queue tells of that one, too", func() bool {
		upload, _ = s.uploading(awaited)
		return upload["status"] == "success"
	})
	began := time.Now()
	s.stop()
	require.Less(t, time.Since(began), 20*time.Second)
}

// The same where the program's own parts are replaced one by one.
func TestEventsFromAQueueInThePlaceOfTheEmbedded(t *testing.T) {
	if !slices.Contains(queues, servers.Kind) {
		t.Skipf("%s=%s has no queues: events from a queue are not run", backend.Variable, servers.Kind)
	}
	s := newShelf(t)
	p := s.startOnQueue(false)
	session, key, put := s.grant("cover.png")
	require.Equal(t, http.StatusOK, put())
	s.tell(p, key)
	eventually(t, "the queue tells of the upload", func() bool {
		upload, _ := s.uploading(session)
		return upload["status"] == "success"
	})
	s.stop()
}

// With -aws nothing is made, and nothing is begun without it.
func TestOnAWSNothingIsMade(t *testing.T) {
	if !slices.Contains(queues, servers.Kind) {
		t.Skipf("%s=%s: the program with -aws is not run", backend.Variable, servers.Kind)
	}
	s := newShelf(t)
	refused := func() string {
		c := exec.CommandContext(t.Context(), s.program, "-aws", "-addr", "127.0.0.1:0", "-landing", s.name+"-landing", "-raw", s.name+"-raw", "-table", s.name)
		c.Env = append(s.env(), "AWS_ENDPOINT_URL="+*servers.S3.Options().BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true")
		out, err := c.CombinedOutput()
		require.Error(t, err)
		return string(out)
	}
	require.Contains(t, refused(), s.name+"-landing")
	for _, bucket := range []string{"-landing", "-raw"} {
		require.NoError(t, presigntest.EnsureBucket(t.Context(), servers.S3, s.name+bucket))
	}
	require.Contains(t, refused(), "-aws does not create it")
	tables, err := servers.DynamoDB.ListTables(t.Context(), nil)
	require.NoError(t, err)
	require.NotContains(t, tables.TableNames, s.name)
}
