// Package calltime lets the timeout that a tool sets for itself replace the default time of a call.
//
// The caller of a tool, such as the agent, makes a [Context] with its default. A timeout inside calls [Extend] before it
// derives its own context. A caller with an explicit limit uses an ordinary context, which nothing extends.
package calltime

import (
	"context"
	"sync"
	"time"
)

// Context is a context with a deadline that [Extend] can move.
type Context struct {
	parent context.Context
	grace  time.Duration
	done   chan struct{}
	stop   func() bool // stops waiting for the parent

	mu       sync.Mutex
	err      error
	deadline time.Time
	timer    *time.Timer
}

type key struct{}

// WithDefault returns a context under parent that ends after d. An extension adds grace, so that the timeout inside ends
// first and can say so. The returned function releases the context and must be called.
func WithDefault(parent context.Context, d, grace time.Duration) (*Context, context.CancelFunc) {
	c := &Context{parent: parent, grace: grace, done: make(chan struct{}), deadline: time.Now().Add(d)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(d, c.fire)
	c.stop = context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c, func() { c.end(context.Canceled) }
}

// Extend moves the deadline of the nearest Context to d from now, if that is later than the present one.
func Extend(ctx context.Context, d time.Duration) {
	if c, ok := ctx.Value(key{}).(*Context); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		if later := time.Now().Add(d + c.grace); later.After(c.deadline) {
			c.deadline = later
		}
	}
}

// fire ends the context, unless its deadline has moved.
func (c *Context) fire() {
	c.mu.Lock()
	left := time.Until(c.deadline)
	if left > 0 && c.err == nil {
		c.timer.Reset(left)
	}
	c.mu.Unlock()
	if left <= 0 {
		c.end(context.DeadlineExceeded)
	}
}

func (c *Context) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	c.timer.Stop()
	c.stop()
	close(c.done)
}

// Until returns the deadline, without the parent's.
func (c *Context) Until() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline
}

// Deadline implements [context.Context].
func (c *Context) Deadline() (time.Time, bool) {
	own := c.Until()
	if d, ok := c.parent.Deadline(); ok && d.Before(own) {
		return d, true
	}
	return own, true
}

// Done implements [context.Context].
func (c *Context) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Value implements [context.Context].
func (c *Context) Value(k any) any {
	if _, ok := k.(key); ok {
		return c
	}
	return c.parent.Value(k)
}
