package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/reader"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/server"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// tableOptions configures the bookshelf's table: its indexes project the fields that a list of uploads shows.
var tableOptions = dynamo.TableOptions{Listed: tracking.Listed()}

// embedded starts the parts that the environment does not replace, and creates missing buckets and tables.
func (a *app) embedded(
	ctx context.Context, c config, dir string, addr net.Addr, events *relay,
) (services, error) {
	var on services
	// The file is opened first, even if the table is elsewhere, since its lock keeps a second process out.
	file, err := bolt.Open(dir)
	if errors.Is(err, bolt.ErrLocked) {
		return on, fmt.Errorf("-data: another process, probably another bookshelf, uses this directory: "+
			"stop it, or name another directory: %w", err)
	}
	if err != nil {
		return on, fmt.Errorf("-data: %w", err)
	}
	a.onClose(func(context.Context) error { return file.Close() })
	keys, err := embeddedKeys(dir)
	if err != nil {
		return on, err
	}
	on.rows, on.alone = file, true
	if p, ok := replaced(c.getenv, dynamoDBEndpoint, keys); ok {
		if on.rows, err = dynamoTable(ctx, p.dynamodb(), c.table); err != nil {
			return on, err
		}
		on.alone = false
	}
	if on.s3, err = a.storage(ctx, c, dir, keys, addr, events); err != nil {
		return on, err
	}
	for _, bucket := range []string{c.landing, c.raw} {
		if err := presigntest.EnsureBucket(ctx, on.s3, bucket); err != nil {
			return on, err
		}
	}
	if p, ok := replaced(c.getenv, sqsEndpoint, keys); ok && c.queue != "" {
		on.queue = p.sqs()
	}
	on.model, err = a.model(ctx, c, keys)
	return on, err
}

// dataDir returns the path of the data directory and creates it.
func (a *app) dataDir(dir string) (string, error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "bookshelf-")
		if err != nil {
			return "", err
		}
		a.onClose(func(context.Context) error { return os.RemoveAll(tmp) })
		return tmp, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("-data: %w", err)
	}
	return dir, nil
}

// dynamoTable returns the table in DynamoDB and creates it if it is missing.
func dynamoTable(ctx context.Context, client *dynamodb.Client, name string) (table.Driver, error) {
	if err := dynamo.CreateTable(ctx, client, name, &tableOptions); err != nil {
		return nil, err
	}
	return dynamo.New(client, name, nil)
}

// storage returns a client of S3. It starts the embedded server, which reports arrivals, unless the environment names
// another one.
func (a *app) storage(
	ctx context.Context, c config, dir string, embedded keys, addr net.Addr, events *relay,
) (*s3.Client, error) {
	if p, ok := replaced(c.getenv, s3Endpoint, embedded); ok {
		return p.s3(), nil
	}
	store, err := presigntest.Start(context.WithoutCancel(ctx), filepath.Join(dir, "s3"), &presigntest.Options{
		AccessKey: embedded.Access, SecretKey: embedded.Secret,
		Events: events.message, Notify: []string{c.landing}, MaxObject: server.MaxUpload,
	})
	if err != nil {
		return nil, err
	}
	a.onClose(store.Shutdown)
	go func() { // ends with the server
		<-store.Done()
		a.failed <- errors.New("the embedded S3 stopped")
	}()
	a.store = store.Endpoint()
	if c.lan {
		return localClient(store, addr.String()), nil
	}
	return store.Client(), nil
}

// model returns the connection to the model: the offline reader, behind an endpoint that speaks Bedrock's protocol,
// unless the environment names another.
func (a *app) model(ctx context.Context, c config, embedded keys) (agent.Model, error) {
	p, ok := replaced(c.getenv, bedrockEndpoint, embedded)
	if !ok {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		a.serve(listener, bedrocktest.Front(reader.New(&reader.Options{Pace: c.pace})), c.log)
		p = part{endpoint: "http://" + listener.Addr().String(), region: presigntest.Region, keys: embedded}
	}
	return bedrock.New(p.bedrock(), c.model, nil)
}

// origins returns the origins under which a browser may open the page.
func origins(addr net.Addr) []string {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil
	}
	var list []string
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		list = append(list, "http://"+host+":"+port)
	}
	return list
}
