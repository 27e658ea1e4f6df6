package gateway_test

import (
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

	"github.com/carrel-go/carrel/examples/internal/gateway"
)

// lifeEnv makes the test's binary live through a gateway's life, since there
// can be one in a process and the tests of S3 have theirs.
const lifeEnv = "GATEWAY_LIFE"

func TestLife(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), lifeEnv+"=1")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) { // the one that a file system without extended attributes costs
		require.Contains(t, line, "sidecar", "the server is quiet")
	}
}

func liveOnce() int {
	if err := live(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func live() error {
	home, err := os.Getwd()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	first, err := gateway.Start(ctx, "data/s3", access, secret, &gateway.Options{Events: told.put}) // relative, and not there yet
	if err != nil {
		return err
	}
	if _, err := gateway.Start(ctx, filepath.Join(home, "other"), access, secret, nil); !errors.Is(err, gateway.ErrRunning) {
		return fmt.Errorf("a second gateway: %w", err)
	}
	c := clientOf(first.Endpoint(), secret)
	for range 2 { // the second time it is there
		if err := gateway.EnsureBucket(ctx, c, "kept"); err != nil {
			return err
		}
	}
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("kept"), Key: aws.String("a/b"), Body: strings.NewReader("still here")}); err != nil {
		return err
	}
	if err := errors.Join(first.Close(), first.Close(), wantDir(home), wantClosed(first)); err != nil {
		return fmt.Errorf("after Close: %w", err)
	}

	run, stop := context.WithCancel(ctx)
	defer stop()
	second, err := gateway.Start(run, filepath.Join(home, "data", "s3"), access, secret, nil)
	if err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	if second.Endpoint() != first.Endpoint() {
		return fmt.Errorf("after a restart the endpoint is %s, and it was %s", second.Endpoint(), first.Endpoint())
	}
	out, err := clientOf(second.Endpoint(), secret).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("kept"), Key: aws.String("a/b")})
	if err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	if data, err := io.ReadAll(out.Body); err != nil || string(data) != "still here" {
		return fmt.Errorf("after a restart: %q, %w", data, err)
	}
	stop()
	<-second.Done()
	if err := errors.Join(wantDir(home), wantClosed(second), second.Close()); err != nil {
		return fmt.Errorf("after the context: %w", err)
	}
	if _, err := gateway.Start(run, "data/s3", access, secret, nil); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("with a dead context: %w", err)
	}
	if _, err := gateway.Start(ctx, "data/s3", "", "", nil); err == nil {
		return errors.New("a gateway without keys")
	}
	return wantDir(home)
}

func wantDir(want string) error {
	if got, err := os.Getwd(); err != nil || got != want {
		return fmt.Errorf("the working directory is %q, not %q: %w", got, want, err)
	}
	return nil
}

func wantClosed(g *gateway.Gateway) error {
	u, err := url.Parse(g.Endpoint())
	if err != nil {
		return err
	}
	if conn, err := net.DialTimeout("tcp", u.Host, time.Second); err == nil {
		return errors.Join(errors.New("it still listens"), conn.Close())
	}
	return nil
}

func TestEnsureBucketAtOnce(t *testing.T) {
	c := newClient(secret)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = gateway.EnsureBucket(t.Context(), c, "at-once") })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestEnsureBucketRefused(t *testing.T) {
	require.Error(t, gateway.EnsureBucket(t.Context(), newClient("another-secret"), "refused"))
}
