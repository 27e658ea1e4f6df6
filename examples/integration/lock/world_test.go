package lock

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/s3api"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

const (
	region  = "us-east-1"
	access  = "carrel"
	secret  = "carrel-secret"
	landing = "carrel-landing"
	raw     = "carrel-raw"
)

// world contains the servers of all tests, since a process can run only one gateway.
var world struct {
	iam   storage.Storer
	sts   assumer
	id    identity
	s3    string // endpoint
	gate  string // endpoint
	plain string // endpoint of the gate without TLS
	store bool   // the gate forwards to a real store

	table, approvals string
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lock-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, stop := context.WithCancel(context.Background())
	ended, err := startWorld(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lock:", err)
		stop()
		return 1
	}
	code := m.Run()
	stop()
	if err := ended(); err != nil {
		fmt.Fprintln(os.Stderr, "lock:", err)
		return 1
	}
	return code
}

func startWorld(ctx context.Context, dir string) (ended func() error, err error) {
	owner.Store(aws.String(account))
	iamDir := filepath.Join(dir, "iam")
	if err := os.MkdirAll(iamDir, 0o700); err != nil {
		return nil, err
	}
	if world.iam, err = storage.New(storage.Config{Dir: iamDir}); err != nil {
		return nil, err
	}
	if world.sts, err = newAssumer(ctx, world.iam); err != nil {
		return nil, err
	}
	if world.id, err = newIdentity(dir); err != nil {
		return nil, err
	}
	closeGate, err := startGate(ctx)
	if err != nil {
		return nil, err
	}
	servers, err := startS3(ctx, dir, iamDir)
	if err != nil {
		return nil, errors.Join(err, closeGate())
	}
	return func() error { return errors.Join(closeGate(), servers()) }, nil
}

// stores lists the backends with a complete DynamoDB that accepts any signature.
// The gate can forward to them.
var stores = []backend.Kind{backend.Dynoxide, backend.LocalStack}

// startGate starts the gate in front of the named store, or of a blank one.
func startGate(ctx context.Context) (closeGate func() error, err error) {
	kind, close := backend.Kind(os.Getenv(backend.Variable)), func() error { return nil }
	g := &gate{iam: world.iam}
	if slices.Contains(stores, kind) {
		b, err := backend.Open(ctx, os.Getenv)
		if err != nil {
			return nil, err
		}
		name, remove, err := b.NewTable(ctx, nil)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		approvals, removeApprovals, err := b.NewTable(ctx, nil)
		if err != nil {
			return nil, errors.Join(err, remove(ctx), b.Close())
		}
		world.store, world.table, world.approvals = true, name, approvals
		close = func() error {
			ctx := context.Background()
			return errors.Join(remove(ctx), removeApprovals(ctx), b.Close())
		}
		g.upstream = aws.ToString(b.DynamoDB.Options().BaseEndpoint)
	} else {
		fmt.Printf("lock: %s=%s does not have a DynamoDB for these tests (%s and %s do): testing only the denials of the gate\n",
			backend.Variable, kind, stores[0], stores[1])
		blank := newBlank()
		world.table, world.approvals = "carrel", "carrel-approvals"
		close = func() error { blank.Close(); return nil }
		g.upstream = blank.URL
	}
	server, plain := httptest.NewUnstartedServer(g), httptest.NewServer(g)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{world.id.cert}}
	server.StartTLS()
	world.gate, world.plain = server.URL, plain.URL
	return func() error {
		server.Close()
		plain.Close()
		return close()
	}, nil
}

// startS3 starts the IAM service and the gateway that uses it.
func startS3(ctx context.Context, dir, iamDir string) (func() error, error) {
	private, informed := filepath.Join(dir, "iam.sock"), filepath.Join(dir, "facts.sock")
	data := filepath.Join(dir, "s3")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	attributes, sidecar, err := attributesOf(dir, data)
	if err != nil {
		return nil, err
	}
	be, err := posix.New(data, attributes, posix.PosixOpts{CopyObjectThreshold: 5 << 30, SideCarDir: sidecar})
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	closeInformer, err := startInformer(ctx, informed, private)
	if err != nil {
		return nil, err
	}
	errs, listening := make(chan error, 2), make(chan struct{})
	go func() {
		errs <- embedgw.RunIAMAPI(ctx, &embedgw.IAMConfig{
			RootUserAccess: access, RootUserSecret: secret, IAMDir: iamDir,
			Ports: []string{filepath.Join(dir, "api.sock")}, PrivatePorts: []string{private},
			MaxConnections: 1000, MaxRequests: 1000, Quiet: true,
		})
	}()
	go func() {
		errs <- embedgw.RunVersityGW(ctx, be, &embedgw.Config{
			RootUserAccess: access, RootUserSecret: secret, Region: region,
			StandaloneIAMEndpoint: informed,
			Ports:                 []string{address},
			CertFile:              world.id.certFile, KeyFile: world.id.keyFile,
			MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000,
			Quiet:     true,
			S3Options: []s3api.Option{s3api.WithOnListen(func() { close(listening) }), s3api.WithMiddleware("/", noteFacts)},
		})
	}()
	ended := func() error { return errors.Join(<-errs, <-errs, closeInformer()) }
	select {
	case <-listening:
	case err := <-errs:
		return nil, errors.Join(errors.New("a server stopped"), err)
	case <-time.After(30 * time.Second):
		return nil, errors.New("the gateway does not listen")
	}
	world.s3 = "https://" + address
	root := s3Client(credentials.NewStaticCredentialsProvider(access, secret, ""))
	for _, bucket := range []string{landing, raw} {
		if err := presigntest.EnsureBucket(ctx, root, bucket); err != nil {
			return nil, err
		}
	}
	return ended, nil
}

// attributesOf stores objects' attributes in files if the file system does not
// support extended attributes.
func attributesOf(dir, data string) (meta.MetadataStorer, string, error) {
	f, err := os.Create(filepath.Join(data, ".probe"))
	if err != nil {
		return nil, "", err
	}
	attrErr := meta.XattrMeta{}.StoreAttribute(f, "", "", "probe", []byte("x"))
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return nil, "", err
	}
	if attrErr == nil {
		return meta.XattrMeta{}, "", nil
	}
	sidecar := filepath.Join(dir, "attributes")
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, "", err
	}
	storer, err := meta.NewSideCar(sidecar)
	return storer, sidecar, err
}

func newResources() credential.Resources {
	return credential.Resources{
		Account: account, Region: region,
		Landing: landing, Raw: raw, Table: world.table, Approvals: world.approvals,
		Indexes: []string{dynamo.IndexName(table.I1), dynamo.IndexName(table.I2)},
		Classes: []string{"active", "waiting", "failed", "success"},
	}
}

func s3Client(c aws.CredentialsProvider) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(world.s3), UsePathStyle: true, Region: region, Credentials: c, Retryer: aws.NopRetryer{},
		HTTPClient: world.id.client,
	})
}

func dynamodbClient(endpoint string, c aws.CredentialsProvider) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: region, Credentials: c, Retryer: aws.NopRetryer{}, HTTPClient: world.id.client,
	})
}

const (
	session1 = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	session2 = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"
)

// Scopes of two tenants and three users, and scopes whose names have the same
// prefix or are the same under another tenant.
var (
	acme    = must.Get(scope.Tenant("acme"))
	shared  = must.Get(acme.Shared())
	u1      = must.Get(acme.User("u1"))
	u1s1    = must.Get(u1.Session(session1))
	u1s2    = must.Get(u1.Session(session2))
	u11     = must.Get(acme.User("u11"))
	u2s1    = must.Get(must.Get(acme.User("u2")).Session(session1))
	globex  = must.Get(scope.Tenant("globex"))
	globexS = must.Get(must.Get(globex.User("u1")).Session(session1))
	acme2S  = must.Get(must.Get(must.Get(scope.Tenant("acme-2")).User("u1")).Session(session1))
)

func allScopes() []scope.Scope {
	return []scope.Scope{acme, shared, u1, u1s1, u1s2, u11, u2s1, globex, globexS, acme2S}
}
