package presigntest

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	stallTime = 20 * time.Second // the longest wait for a client's next byte, and for its first header
	minRate   = 16 << 10         // bytes a second that a client must send on average, after stallTime

	// lingerTime is how long a closed connection still reads the request that has been answered.
	lingerTime = 10 * time.Second
)

// listener accepts connections with read timeouts. They report an error if a request is cut short.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, begun: time.Now()}, nil
}

// conn is the server's side of a connection. A connection carries one request.
//
// Read returns io.ErrUnexpectedEOF if the client has closed its side in the middle of a request. Every body is framed
// by its length or by chunks, so the end of a connection is never the end of a body; but fasthttp (1.73.0) hands an
// io.EOF in the middle of a body of known length to the reader of that body, which then looks complete.
type conn struct {
	net.Conn

	begun  time.Time
	read   atomic.Int64 // bytes
	failed atomic.Bool  // a read has failed
	limit  atomic.Int64 // the deadline that the server has set, in nanoseconds since 1970; 0 if it is not set
}

func (c *conn) Read(p []byte) (int, error) {
	deadline := time.Now().Add(stallTime)
	if d := c.begun.Add(stallTime + time.Duration(c.read.Load())*time.Second/minRate); d.Before(deadline) {
		deadline = d
	}
	if n := c.limit.Load(); n != 0 && n < deadline.UnixNano() {
		deadline = time.Unix(0, n)
	}
	if err := c.Conn.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	read := c.read.Add(int64(n))
	if err != nil {
		c.failed.Store(true)
	}
	if errors.Is(err, io.EOF) && read > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// SetReadDeadline sets the deadline of reads. The zero time removes it.
func (c *conn) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		c.limit.Store(0)
	} else {
		c.limit.Store(t.UnixNano())
	}
	return nil
}

// Write fails if the client does not read anything for stallTime.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(stallTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close closes the connection. If the client may still be sending a request, Close ends the server's side first and
// discards what arrives for up to lingerTime. A connection that is closed with unread bytes is reset, and the client
// may then lose the response (RFC 9112, section 9.6).
func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.read.Load() > 0 && !c.failed.Load() && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, c)
	}
	return c.Conn.Close()
}
