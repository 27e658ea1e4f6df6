package presigntest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3event"
)

// sender passes the server's events to the parent, each as an S3 notification.
//
// It replaces the server's webhook sender (versitygw 1.8.0), which reads a request's path after its memory has been
// reused, so that under load an event names the wrong object. The webhook sender also prints the webhook's address,
// including the secret, does not wait for its goroutines, and needs an open port.
type sender struct {
	to      *messages
	buckets []string // empty: all
}

var _ s3event.S3EventSender = (*sender)(nil)

// SendEvent sends an event if an object has been created, and ignores all others. It also ignores form uploads, since
// the server does not report their key.
func (s *sender) SendEvent(c fiber.Ctx, meta s3event.EventMeta) {
	name, created := strings.CutPrefix(string(meta.EventName), "s3:")
	if !created || !strings.HasPrefix(name, "ObjectCreated:") {
		return
	}
	path := strings.Clone(c.Path()) // its memory is reused by the next request
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if key == "" || len(s.buckets) > 0 && !slices.Contains(s.buckets, bucket) {
		return
	}
	raw, err := notification(name, bucket, key, meta, time.Now())
	if err != nil {
		return // strings and numbers always marshal
	}
	s.to.send(message{Event: raw})
}

// Close does nothing: events are sent within their requests.
func (s *sender) Close() error { return nil }

// notification returns the S3 notification of a created object. The server's keys are not encoded. S3 encodes them as
// in a query: "a b+é" is "a+b%2B%C3%A9". Readers of notifications decode them.
func notification(name, bucket, key string, meta s3event.EventMeta, at time.Time) ([]byte, error) {
	return json.Marshal(s3event.EventSchema{Records: []s3event.EventRecord{{
		EventVersion: "2.2", EventSource: "aws:s3", EventName: s3event.EventType(name), AwsRegion: Region,
		EventTime: at.UTC().Format("2006-01-02T15:04:05.000Z"),
		S3: s3event.EventS3Data{
			S3SchemaVersion: "1.0",
			Bucket:          s3event.EventS3BucketData{Name: bucket, Arn: "arn:aws:s3:::" + bucket},
			Object: s3event.EventObjectData{
				Key: url.QueryEscape(key), Size: meta.ObjectSize,
				ETag: aws.String(strings.Trim(aws.ToString(meta.ObjectETag), `"`)), VersionId: meta.VersionId,
			},
		},
	}}})
}
