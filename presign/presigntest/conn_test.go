package presigntest

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipe returns the two ends of a connection, of which the first is the server's.
func pipe() (*conn, net.Conn) {
	server, client := net.Pipe()
	return &conn{Conn: server, begun: time.Now()}, client
}

func TestSilentClientTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := pipe()
		defer client.Close()
		begun := time.Now()
		_, err := server.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, stallTime, time.Since(begun))
	})
}

// A client that sends a byte now and then is not silent, and still too slow.
func TestSlowClientTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		begun := time.Now()
		n, err := io.Copy(io.Discard, server)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, stallTime, time.Since(begun).Truncate(time.Second))
		require.Less(t, n, int64(minRate))
		require.NoError(t, server.Close())
		<-done
	})
}

// A client may take long, as long as it keeps to the rate.
func TestSteadyClientMayTakeLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := pipe()
		const seconds = 600
		go func() {
			for range seconds {
				_, _ = client.Write(make([]byte, minRate))
				time.Sleep(time.Second)
			}
			_ = client.Close()
		}()
		n, err := io.Copy(io.Discard, server)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a body never ends with its connection")
		require.EqualValues(t, seconds*minRate, n)
	})
}

// A deadline of the server's holds beside those of the connection, and can be taken back.
func TestEarlierReadDeadlineWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := pipe()
		defer client.Close()
		begun := time.Now()
		require.NoError(t, server.SetReadDeadline(begun.Add(time.Second)))
		_, err := server.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begun))
		require.NoError(t, server.SetReadDeadline(time.Time{}))
		_, err = server.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, stallTime, time.Since(begun))
	})
}

func TestClientThatReadsNothingTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, client := pipe()
		defer client.Close()
		begun := time.Now()
		_, err := server.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, stallTime, time.Since(begun))
	})
}

// halfCloser is a connection of which one side can be closed.
type halfCloser struct{ net.Conn }

func (halfCloser) CloseWrite() error { return nil }

// A client that never stops sending holds a closed connection for a bounded time, and one whose reads have failed not
// at all.
func TestCloseWaitsForABoundedTime(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"sends on": lingerTime, "was too slow": 0, "sent nothing": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, client := pipe()
				server.Conn = halfCloser{server.Conn}
				if name != "sent nothing" {
					go func() {
						for {
							if _, err := client.Write(make([]byte, minRate)); err != nil {
								return
							}
							time.Sleep(time.Second)
						}
					}()
					_, err := server.Read(make([]byte, 1))
					require.NoError(t, err)
				}
				if name == "was too slow" {
					require.NoError(t, server.SetReadDeadline(time.Now().Add(-1)))
					_, err := server.Read(make([]byte, 1))
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				}
				begun := time.Now()
				require.NoError(t, server.Close())
				require.Equal(t, wait, time.Since(begun))
			})
		})
	}
}

// The system resets a connection that is closed with unread bytes. The client would lose the response.
func TestResponseReachesAClientThatStillSends(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := (listener{l}).Accept()
		if err == nil {
			_, _ = c.Read(make([]byte, 10))
			_, _ = c.Write([]byte("no"))
			err = c.Close()
		}
		served <- err
	}()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write(make([]byte, 16<<20)) // more than both sides' buffers hold
	require.NoError(t, err)
	answer, err := io.ReadAll(io.LimitReader(c, 10))
	require.NoError(t, err)
	require.Equal(t, "no", string(answer))
	require.NoError(t, c.Close())
	require.NoError(t, <-served)
}
