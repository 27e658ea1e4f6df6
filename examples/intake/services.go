package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/examples/intake/internal/reader"
	"github.com/carrel-go/carrel/examples/intake/internal/server"
	"github.com/carrel-go/carrel/examples/internal/privatefile"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// services are the backends of the server.
type services struct {
	s3     *s3.Client
	origin string // to which a browser uploads
	rows   table.Driver
	alone  bool   // no other process uses the table
	dir    string // of the embedded services, or empty
	model  agent.Model
}

// open connects to AWS, or starts the embedded services.
func (a *app) open(ctx context.Context, c config, addr net.Addr, events *relay) (*services, error) {
	on := &services{}
	var err error
	if c.aws || c.bedrock {
		cfg, err := awsconfig.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the AWS configuration: %w", err)
		}
		if cfg.Region == "" {
			return nil, errors.New("no AWS region: set AWS_REGION")
		}
		if on.model, err = bedrock.New(bedrockruntime.NewFromConfig(cfg), c.model, nil); err != nil {
			return nil, err
		}
		if c.aws {
			err = on.amazon(ctx, cfg, c)
		}
		if err != nil {
			return nil, err
		}
	} else {
		on.model = reader.New(&reader.Options{Pace: c.pace})
	}
	if !c.aws {
		if err := a.embed(ctx, c, on, addr, events); err != nil {
			return nil, err
		}
	}
	on.origin, err = uploadOrigin(ctx, on.s3, c.bucket)
	return on, err
}

// amazon opens the buckets and the table, which must exist.
func (on *services) amazon(ctx context.Context, cfg aws.Config, c config) (err error) {
	// Other S3 servers do not have a host name for each bucket.
	on.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
	for _, bucket := range []string{c.bucket, c.work} {
		if _, err := on.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
			return fmt.Errorf("-aws: bucket %q must exist: %w", bucket, err)
		}
	}
	client := dynamodb.NewFromConfig(cfg)
	o := &dynamo.TableOptions{Listed: tracking.Listed()}
	if err := dynamo.CreateTable(ctx, existing{client}, c.table, o); err != nil {
		return fmt.Errorf("-aws: %w", err)
	}
	on.rows, err = dynamo.New(client, c.table, nil)
	return err
}

// existing is a client that rejects changes, so that CreateTable only verifies the table.
type existing struct{ *dynamodb.Client }

func (existing) CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options),
) (*dynamodb.CreateTableOutput, error) {
	return nil, errors.New("the table does not exist, and -aws does not create it")
}

func (existing) UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options),
) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return nil, errors.New("the table's TTL is disabled, and -aws does not enable it")
}

// embed starts the table and S3 on this machine.
func (a *app) embed(ctx context.Context, c config, on *services, addr net.Addr, events *relay) error {
	dir := c.data
	if dir == "" {
		tmp, err := os.MkdirTemp("", "intake-")
		if err != nil {
			return err
		}
		a.onClose(func(context.Context) error { return os.RemoveAll(tmp) })
		dir = tmp
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("-data: create the directory: %w", err)
	}
	rows, err := bolt.Open(dir) // its lock keeps a second process out
	if err != nil {
		return err
	}
	a.onClose(func(context.Context) error { return rows.Close() })
	on.rows, on.alone, on.dir = rows, true, dir
	secret, err := storageSecret(dir)
	if err != nil {
		return err
	}
	store, err := presigntest.Start(context.WithoutCancel(ctx), filepath.Join(dir, "s3"), &presigntest.Options{
		AccessKey: "carrel", SecretKey: secret, Events: events.message, Notify: []string{c.bucket},
		MaxObject: server.MaxUpload,
	})
	if err != nil {
		return err
	}
	a.onClose(store.Shutdown)
	go func() { // ends with the server
		<-store.Done()
		a.failed <- errors.New("the embedded S3 stopped")
	}()
	on.s3 = store.Client()
	for _, bucket := range []string{c.bucket, c.work} {
		if err := presigntest.EnsureBucket(ctx, on.s3, bucket); err != nil {
			return err
		}
	}
	return presigntest.AllowUploads(ctx, on.s3, c.bucket, origins(addr))
}

// storageSecret returns the secret key of the embedded S3. It is stored in the data directory, so that grants survive a
// restart.
func storageSecret(dir string) (string, error) {
	b, err := loadPrivate(filepath.Join(dir, "storage.key"), func() ([]byte, error) {
		return []byte(rand.Text() + rand.Text()), nil
	})
	return string(b), err
}

// loadPrivate reads a file that only its owner may read. If it does not exist, loadPrivate makes it.
func loadPrivate(path string, newContent func() ([]byte, error)) ([]byte, error) {
	b, err := privatefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = newContent(); err == nil {
			err = privatefile.Write(path, b)
		}
	}
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("%s is empty: remove it", path)
	}
	return b, err
}

// origins returns the origins under which a browser may open the page.
func origins(addr net.Addr) (list []string) {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		list = append(list, "http://"+host+":"+port)
	}
	return list
}

// uploadOrigin returns the origin of the bucket's grants, to which the page must be allowed to send.
func uploadOrigin(ctx context.Context, client *s3.Client, bucket string) (string, error) {
	in := &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("x")}
	r, err := s3.NewPresignClient(client).PresignPutObject(ctx, in)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// relay keeps the storage's messages until the recorder exists, then passes them on.
type relay struct {
	log      *slog.Logger
	bucket   string
	open     chan struct{}
	recorder *arrivals.Recorder
}

func newRelay(bucket string, log *slog.Logger) *relay {
	return &relay{log: log, bucket: bucket, open: make(chan struct{})}
}

// to sets the recorder, once.
func (r *relay) to(recorder *arrivals.Recorder) {
	r.recorder = recorder
	close(r.open)
}

// message handles a message that is not delivered again. If that fails, a chat or a sweep finds the upload.
func (r *relay) message(ctx context.Context, raw []byte) {
	var err error
	isUpload := func(e presign.S3Event) bool { return e.Scope.Level() != scope.SharedLevel }
	if events, _ := presign.ParseEvent(raw, r.bucket); len(events) > 0 && !slices.ContainsFunc(events, isUpload) {
		return // copies that stewards share
	}
	select {
	case <-r.open:
		err = r.recorder.HandleMessage(ctx, raw)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, presign.ErrEvent) { // already reported
		r.log.WarnContext(ctx, "handle a storage event", "err", err)
	}
}
