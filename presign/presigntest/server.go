package presigntest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	startTime = time.Minute      // a child that ends is noticed at once
	stopTime  = 10 * time.Second // for requests in flight
	eventTime = 10 * time.Second // deadline of one call of Options.Events
)

// Server is a running S3 server. Its methods are safe for concurrent use.
type Server struct {
	endpoint string
	client   *s3.Client
	events   func(context.Context, []byte)

	child   *exec.Cmd
	answers *json.Decoder // messages of the child
	sockets string        // directory of the child's sockets
	stop    context.CancelFunc
	done    chan struct{}
	err     error // valid after done is closed
}

// Start serves the buckets below dir on a loopback port. It creates dir if it is missing. It prefers the port of the
// last start, stored in the file dir + ".port", so that grants survive a restart if the keys stay the same. If that
// port is taken, it uses a free one. Start returns when the server answers. The server ends when ctx ends, or by
// [Server.Close].
//
// A connection is closed if its client sends nothing for 20 s, does not complete its header within 20 s, or sends its
// body more slowly than 16 KiB a second on average.
//
// The child's standard error is that of this process. The server writes to it only if the file system does not support
// extended attributes (a line at the start) or if a request fails internally.
//
// It returns ErrMain, ErrFoldsCase, or errors of the options, of the file system and of the server.
func Start(ctx context.Context, dir string, o *Options) (*Server, error) {
	opt, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if !installed.Load() {
		return nil, ErrMain
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("presigntest: start: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("presigntest: start: %w", err)
	}
	sidecar, err := probeDirectory(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{events: opt.Events, done: make(chan struct{})}
	if s.sockets, err = os.MkdirTemp("", "s3-"); err != nil {
		return nil, fmt.Errorf("presigntest: start: %w", err)
	}
	with := settings{
		Dir: dir, Sidecar: sidecar, Sockets: s.sockets, AccessKey: opt.AccessKey, SecretKey: opt.SecretKey,
		Events: opt.Events != nil, Notify: opt.Notify, MaxObject: opt.MaxObject, MaxConns: opt.MaxConns,
	}
	if err := s.startChild(ctx, with); err != nil {
		return nil, fmt.Errorf("presigntest: start: %w", errors.Join(err, os.RemoveAll(s.sockets)))
	}
	s.client = s.newClient(opt.AccessKey, opt.SecretKey)
	go s.receiveMessages()
	return s, nil
}

// startChild starts the child and waits until it serves.
func (s *Server) startChild(ctx context.Context, with settings) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.child = exec.CommandContext(ctx, program) //nolint:gosec // this program
	s.child.Dir = with.Dir
	s.child.Env = append(os.Environ(), childVariable+"=1")
	s.child.Stderr = os.Stderr
	commands, err := s.child.StdinPipe()
	if err != nil {
		return err
	}
	s.child.Cancel = func() error { return json.NewEncoder(commands).Encode(commandStop) }
	s.child.WaitDelay = stopTime + time.Second
	output, err := s.child.StdoutPipe()
	if err != nil {
		return err
	}
	s.answers = json.NewDecoder(output)
	if err := s.child.Start(); err != nil {
		s.stop()
		return err
	}
	late := time.AfterFunc(startTime, func() { _ = s.child.Process.Kill() })
	defer late.Stop()
	first, err := s.handshake(commands, with)
	if err != nil {
		s.stop()
		_ = s.child.Process.Kill()
		_, _ = io.Copy(io.Discard, output)
		_ = s.child.Wait()
		return errors.Join(ctx.Err(), err)
	}
	s.endpoint = first.Endpoint
	return nil
}

// handshake sends the settings and returns the child's answer.
func (s *Server) handshake(commands io.Writer, with settings) (message, error) {
	var first message
	if err := json.NewEncoder(commands).Encode(with); err != nil { //nolint:gosec // a pipe to the child
		return first, fmt.Errorf("the child has ended: %w", err)
	}
	if err := s.answers.Decode(&first); err != nil {
		return first, fmt.Errorf("the child has ended or did not answer within %v: %w", startTime, err)
	}
	if first.Error != "" {
		return first, errors.New(first.Error)
	}
	return first, nil
}

// receiveMessages receives the child's messages until it has ended, and then releases everything.
func (s *Server) receiveMessages() {
	defer close(s.done)
	defer s.stop()
	var calls sync.WaitGroup
	for {
		var m message
		if err := s.answers.Decode(&m); err != nil {
			break // the child has ended
		}
		switch {
		case m.Event != nil:
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), eventTime)
				defer cancel()
				s.events(ctx, m.Event)
			})
		case m.Error != "":
			s.err = errors.New(m.Error)
		}
	}
	if err := s.child.Wait(); s.err == nil && !s.child.ProcessState.Success() {
		s.err = fmt.Errorf("the server has ended: %w", err)
	}
	calls.Wait()
	s.err = errors.Join(s.err, os.RemoveAll(s.sockets))
}

// newClient returns a client that reaches the server by its socket. Requests to other addresses are sent as usual.
func (s *Server) newClient(accessKey, secretKey string) *s3.Client {
	own, socket := strings.TrimPrefix(s.endpoint, "http://"), filepath.Join(s.sockets, ownSocket)
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.endpoint), UsePathStyle: true, Region: Region,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		HTTPClient: &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == own {
					network, address = "unix", socket
				}
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
		}},
	})
}

// Client returns a client for the program's own requests. It reaches the server by a socket that only this user can
// open, so that connections from elsewhere cannot block the program. Grants that presign signs with it are for
// [Server.Endpoint].
func (s *Server) Client() *s3.Client { return s.client }

// Endpoint returns the server's base URL. Buckets are addressed by path.
func (s *Server) Endpoint() string { return s.endpoint }

// Done returns a channel that is closed when the server has ended, by Close or otherwise.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close ends the server, waits until requests in flight are answered (at most 10 s) and calls of Options.Events have
// returned, and returns the server's error if it had failed before. It may be called again.
func (s *Server) Close() error { return s.Shutdown(context.Background()) }

// Shutdown is like Close, but kills the server when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	select {
	case <-s.done:
	case <-ctx.Done():
		_ = s.child.Process.Kill()
		return fmt.Errorf("presigntest: requests were still in flight: %w", ctx.Err())
	}
	if s.err != nil {
		return fmt.Errorf("presigntest: %w", s.err)
	}
	return nil
}
