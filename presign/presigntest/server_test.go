package presigntest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign/presigntest"
)

func start(t *testing.T, dir string, o *presigntest.Options) *presigntest.Server {
	t.Helper()
	s, err := presigntest.Start(context.WithoutCancel(t.Context()), dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func requireClosed(t *testing.T, endpoint string) {
	t.Helper()
	u, err := url.Parse(endpoint)
	require.NoError(t, err)
	conn, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	require.Error(t, err, "it still listens")
}

// host is a program that starts a server in its working directory, prints the endpoint and waits to be killed.
func host() int {
	s, err := presigntest.Start(context.Background(), "s3", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Endpoint())
	<-s.Done()
	return 1
}

// hostWithoutMain expects the error of a program that does not call Main.
func hostWithoutMain() int {
	if _, err := presigntest.Start(context.Background(), "s3", nil); !errors.Is(err, presigntest.ErrMain) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// The pipe of standard error ends only when the last process that holds it has ended.
func TestServerEndsWithItsKilledParent(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env, parent.Dir = append(os.Environ(), hostVariable+"=host", "TMPDIR="+tmp), t.TempDir()
	errors, to, err := os.Pipe()
	require.NoError(t, err)
	defer errors.Close()
	parent.Stderr = to
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	require.NoError(t, to.Close())
	endpoint, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())

	require.NoError(t, errors.SetReadDeadline(time.Now().Add(30*time.Second)))
	text, err := io.ReadAll(errors)
	require.NoError(t, err, "the child lives")
	for line := range strings.Lines(string(text)) { // the one on a file system without extended attributes
		require.Contains(t, line, "sidecar", "the server is quiet")
	}
	requireClosed(t, strings.TrimSpace(endpoint))
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestStartNeedsMain(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env, program.Dir = append(os.Environ(), hostVariable+"=without main"), t.TempDir()
	out, err := program.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestMainRefusesAnotherParent(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), presigntest.ChildVariable+"=1")
	out, err := program.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "only for a child")
}

func TestServersShareAProcessAndLeaveItsDirectory(t *testing.T) {
	t.Parallel()
	before, err := os.Getwd()
	require.NoError(t, err)
	first, second := start(t, t.TempDir(), nil), start(t, t.TempDir(), nil)
	for _, s := range []*presigntest.Server{first, second} {
		require.NoError(t, presigntest.EnsureBucket(t.Context(), s.Client(), "bucket"))
	}
	after, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, before, after)
	for _, s := range []*presigntest.Server{first, second} {
		require.NoError(t, errors.Join(s.Close(), s.Close()))
		requireClosed(t, s.Endpoint())
	}
}

func TestRestartKeepsThePortAndTheObjects(t *testing.T) {
	t.Parallel()
	home, err := os.Getwd()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "data", "s3") // not there yet
	relative, err := filepath.Rel(home, dir)
	require.NoError(t, err)
	first := start(t, relative, nil)
	for range 2 { // the second time it is there
		require.NoError(t, presigntest.EnsureBucket(t.Context(), first.Client(), "kept"))
	}
	_, err = first.Client().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("kept"), Key: aws.String("a/b"), Body: strings.NewReader("still here"),
	})
	require.NoError(t, err)
	require.NoError(t, first.Close())

	ctx, stop := context.WithCancel(t.Context())
	second, err := presigntest.Start(ctx, dir, nil)
	require.NoError(t, err)
	require.Equal(t, first.Endpoint(), second.Endpoint())
	out, err := second.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("kept"), Key: aws.String("a/b")})
	require.NoError(t, err)
	data, err := io.ReadAll(out.Body)
	require.NoError(t, err)
	require.Equal(t, "still here", string(data))
	stop()
	<-second.Done()
	requireClosed(t, second.Endpoint())
	require.NoError(t, second.Close())
}

func TestStartReportsErrors(t *testing.T) {
	t.Parallel()
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := presigntest.Start(dead, t.TempDir(), nil)
	require.ErrorIs(t, err, context.Canceled)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = presigntest.Start(t.Context(), file, nil)
	require.Error(t, err)

	dir := filepath.Join(t.TempDir(), "s3")
	require.NoError(t, os.Mkdir(dir+".port", 0o700))
	_, err = presigntest.Start(t.Context(), dir, nil)
	require.ErrorContains(t, err, "keep the port", "the child's error")

	for _, o := range []presigntest.Options{
		{AccessKey: "x"}, {SecretKey: "x"}, {MaxObject: -1}, {MaxConns: -1},
	} {
		_, err := presigntest.Start(t.Context(), t.TempDir(), &o)
		require.Error(t, err, "%+v", o)
	}
}

func TestServerThatDiesReportsIt(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	require.NoError(t, s.Kill())
	<-s.Done()
	require.ErrorContains(t, s.Close(), "signal: killed")
}

func TestShutdownKillsTheServerWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), nil)
	u, err := url.Parse(s.Endpoint())
	require.NoError(t, err)
	conn, err := net.Dial("tcp", u.Host)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "PUT /x/y HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n") // and no body
	require.NoError(t, err)
	require.NoError(t, presigntest.EnsureBucket(t.Context(), s.Client(), "later"), "the connection has been accepted before")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "the child lives")
	}
}

// Close waits for the calls of Events, whose context is not that of the server.
func TestCloseWaitsForEvents(t *testing.T) {
	t.Parallel()
	called, release := make(chan struct{}), make(chan struct{})
	var returned bool
	s := start(t, t.TempDir(), &presigntest.Options{Events: func(ctx context.Context, _ []byte) {
		close(called)
		<-release
		returned = ctx.Err() == nil
	}})
	require.NoError(t, presigntest.EnsureBucket(t.Context(), s.Client(), "bucket"))
	_, err := s.Client().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String("a"), Body: strings.NewReader("x"),
	})
	require.NoError(t, err)
	<-called
	go func() {
		waitUntilClosed(t, s.Endpoint()) // the server has ended, and Close still waits
		close(release)
	}()
	require.NoError(t, s.Close())
	require.True(t, returned)
}

// waitUntilClosed waits until the endpoint refuses connections.
func waitUntilClosed(t *testing.T, endpoint string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Error(err)
	}
	for {
		conn, err := net.DialTimeout("tcp", u.Host, time.Second)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

func TestEnsureBucketMayRunConcurrently(t *testing.T) {
	t.Parallel()
	c := newClient(secret)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = presigntest.EnsureBucket(t.Context(), c, "at-once") })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestEnsureBucketReportsRefusals(t *testing.T) {
	t.Parallel()
	require.Error(t, presigntest.EnsureBucket(t.Context(), newClient("another-secret"), "refused"))
}
