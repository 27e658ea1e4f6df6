package arrivals_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tracking"
)

// service holds the parts of a service that grants uploads.
type service struct {
	table    *table.Table
	landing  *object.Bucket
	tracker  *tracking.Tracker
	recorder *arrivals.Recorder
	session  scope.Scope
}

func newService() service {
	s := service{table: must.Get(table.New(table.NewMemory(nil), nil)), landing: must.Get(object.New(object.NewMemory(), "landing", nil))}
	client := s3.New(s3.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")})
	signer := must.Get(presign.New(client, s.landing, nil))
	s.tracker = must.Get(tracking.New(s.table, tracking.Uploads(), nil))
	s.recorder = must.Get(arrivals.New(s.table, s.landing, signer, s.tracker, nil))
	tenant := must.Get(scope.Tenant("acme"))
	user := must.Get(tenant.User("ann"))
	s.session = must.Get(user.NewSession())
	return s
}

// uploadCover does what a browser does with its grant.
func (s service) uploadCover(ctx context.Context) {
	root := must.Get(s.landing.In(s.session))
	ref := must.Get(root.Ref("cover.jpg"))
	if _, _, err := root.Put(ctx, ref, strings.NewReader("a photo"), nil); err != nil {
		panic(err)
	}
}

// notification returns S3's event about the upload.
func (s service) notification() []byte {
	return fmt.Appendf(nil, `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
		"eventTime":"2026-01-02T03:04:05.678Z","s3":{"bucket":{"name":"landing"},"object":{"key":%q,"size":7}}}]}`,
		s.session.Prefix()+"cover.jpg")
}

// An upload is recorded once, however often S3 reports it.
func ExampleRecorder_HandleMessage() {
	ctx, s := context.Background(), newService()
	_, err := s.recorder.Expect(ctx, s.session, arrivals.Upload{
		Filename: "cover.jpg", Size: 7, Expires: time.Now().Add(15 * time.Minute),
	})
	if err != nil {
		panic(err)
	}
	s.uploadCover(ctx)
	for range 2 {
		if err := s.recorder.HandleMessage(ctx, s.notification()); err != nil {
			panic(err)
		}
	}
	rec, err := s.tracker.Get(ctx, s.session)
	fmt.Println(rec.Stage(tracking.UserUpload).State, err)

	err = s.recorder.HandleMessage(ctx, []byte("hello")) // stays in the queue
	fmt.Println(errors.Is(err, presign.ErrEvent))
	// Output:
	// success <nil>
	// true
}

// A server looks for an upload itself if its event may be late.
func ExampleRecorder_Arrived() {
	ctx, s := context.Background(), newService()
	rec, err := s.recorder.Expect(ctx, s.session, arrivals.Upload{
		Filename: "cover.jpg", Size: 7, Expires: time.Now().Add(15 * time.Minute),
	})
	if err != nil {
		panic(err)
	}
	_, err = s.recorder.Arrived(ctx, rec)
	fmt.Println(errors.Is(err, presign.ErrNotArrived))

	s.uploadCover(ctx)
	ref, err := s.recorder.Arrived(ctx, rec)
	if err != nil {
		panic(err)
	}
	attempt, err := s.tracker.Claim(ctx, s.session, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run", Source: ref, Observed: &tracking.Observation{Stage: tracking.UserUpload, Dest: ref},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(attempt.Record().Stage(tracking.UserUpload).State)
	// Output:
	// true
	// success
}

// The upload of an abandoned record is deleted.
func ExampleRecorder_Clean() {
	ctx, s := context.Background(), newService()
	_, err := s.recorder.Expect(ctx, s.session, arrivals.Upload{
		Filename: "cover.jpg", Expires: time.Now().Add(-48 * time.Hour), Due: time.Now(),
	})
	if err != nil {
		panic(err)
	}
	_, err = s.tracker.Cancel(ctx, s.session)
	if err != nil {
		panic(err)
	}
	s.uploadCover(ctx) // too late
	if err := s.recorder.Clean(ctx, s.table.System()); err != nil {
		panic(err)
	}
	root := must.Get(s.landing.In(s.session))
	_, _, err = root.Stat(ctx, must.Get(root.Ref("cover.jpg")))
	fmt.Println(errors.Is(err, object.ErrNotFound))
	// Output: true
}

func ExampleConsumer_Run() {
	client := &queue{} // sqs.NewFromConfig(cfg)
	client.put(aws.String("a message"))

	ctx, cancel := context.WithCancel(context.Background())
	c, err := arrivals.NewConsumer(client, "https://sqs.example/queue", func(_ context.Context, body []byte) error {
		fmt.Println(string(body)) // a service passes Recorder.HandleMessage
		cancel()
		return nil // and the message is deleted
	}, nil)
	if err != nil {
		panic(err)
	}
	c.Run(ctx)
	fmt.Println(client.left(), "left")
	// Output:
	// a message
	// 0 left
}
