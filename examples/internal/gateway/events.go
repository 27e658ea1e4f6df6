package gateway

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3event"
)

const eventTime = 10 * time.Second // for one call of Options.Events

// sender hands the server's events to a function, each as a notification of S3.
//
// It stands where the server would have a webhook's. That one reads a request's path when the request is over and its
// memory is another's (versitygw 1.8.0), so that under load an event names the wrong object; it prints the webhook's
// address, secret included; and nobody waits for its goroutines. Without it no port has to be opened, either.
type sender struct {
	events  func(context.Context, []byte)
	buckets []string // empty: all
	calls   sync.WaitGroup
}

var _ s3event.S3EventSender = (*sender)(nil)

// SendEvent tells of an object that has come to be, and of nothing else. What a form has uploaded is not told: the
// server does not say which key it has.
func (s *sender) SendEvent(c fiber.Ctx, meta s3event.EventMeta) {
	name, created := strings.CutPrefix(string(meta.EventName), "s3:")
	if !created || !strings.HasPrefix(name, "ObjectCreated:") {
		return
	}
	path := strings.Clone(c.Path()) // its bytes are the next request's
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if key == "" || len(s.buckets) > 0 && !slices.Contains(s.buckets, bucket) {
		return
	}
	raw, err := notification(name, bucket, key, meta, time.Now())
	if err != nil {
		return // strings and numbers always can be written
	}
	s.calls.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), eventTime)
		defer cancel()
		s.events(ctx, raw)
	})
}

// Close waits for the calls under way.
func (s *sender) Close() error {
	s.calls.Wait()
	return nil
}

// notification is what S3 writes of an object that has come to be. The server has keys as they are; S3 encodes them as
// in a query, "a b+é" is "a+b%2B%C3%A9", and whoever reads a notification decodes them.
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
