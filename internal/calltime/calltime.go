// Package calltime lets the timeout that a tool sets for itself replace the default time of a call.
//
// The caller of a tool, such as the agent, makes a [Group] with its default and a [Context] for each call. A timeout
// inside calls [Extend] before it derives its own context.
package calltime

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Group makes the contexts of calls that have the same default time. It needs one timer and one place in its parent for
// all of them.
type Group struct {
	limit, grace time.Duration
	isFixed      bool
	expired      chan struct{}
	stop         func() bool // stops waiting for the parent

	mu    sync.Mutex
	err   error // the parent's
	open  []*Context
	timer *time.Timer
	armed bool
}

// NewGroup returns a group of contexts that end with parent, or after limit. An extension adds grace, so that the
// timeout inside ends first and can say so; if isFixed is set, Extend does nothing. [Group.Close] must be called.
func NewGroup(parent context.Context, limit, grace time.Duration, isFixed bool) *Group {
	g := &Group{limit: limit, grace: grace, isFixed: isFixed, expired: make(chan struct{}, 1)}
	g.stop = context.AfterFunc(parent, func() { g.endAll(parent.Err()) })
	return g
}

// Start returns a context whose time begins now. Its values are those of ctx, which must end no earlier than the
// group's parent. [Context.Cancel] must be called.
func (g *Group) Start(ctx context.Context, now time.Time) *Context {
	c := &Context{parent: ctx, group: g, deadline: now.Add(g.limit)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		c.err = g.err
		return c
	}
	g.open = append(g.open, c)
	if !g.armed { // otherwise it fires in time for an earlier call
		g.arm(g.limit)
	}
	return c
}

// Expired returns a channel that receives a value after the time of a call has passed.
func (g *Group) Expired() <-chan struct{} { return g.expired }

// Close releases the group.
func (g *Group) Close() {
	g.stop()
	g.endAll(context.Canceled)
}

func (g *Group) arm(d time.Duration) {
	g.armed = true
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.fire)
		return
	}
	g.timer.Reset(d)
}

// fire ends the contexts whose time has passed, and arms the timer for the next one.
func (g *Group) fire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = false
	now := time.Now()
	g.open = slices.DeleteFunc(g.open, func(c *Context) bool {
		if c.deadline.After(now) {
			return false
		}
		c.end(context.DeadlineExceeded)
		return true
	})
	if len(g.open) > 0 {
		next := slices.MinFunc(g.open, func(a, b *Context) int { return a.deadline.Compare(b.deadline) })
		g.arm(next.deadline.Sub(now))
	}
	select {
	case g.expired <- struct{}{}:
	default:
	}
}

func (g *Group) endAll(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.open {
		c.end(err)
	}
	g.err, g.open = err, nil
	if g.timer != nil {
		g.timer.Stop()
	}
}

// Context is a context with a deadline that [Extend] can move. The mutex of its group guards it.
type Context struct {
	parent   context.Context
	group    *Group
	deadline time.Time
	err      error
	done     chan struct{} // nil until it is asked for
}

type key struct{}

// Extend moves the deadline of the nearest Context to d from now, if that is later than the present one.
func Extend(ctx context.Context, d time.Duration) {
	c, ok := ctx.Value(key{}).(*Context)
	if !ok || c.group.isFixed {
		return
	}
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
	if later := time.Now().Add(d + c.group.grace); later.After(c.deadline) {
		c.deadline = later
	}
}

// Cancel ends the context.
func (c *Context) Cancel() {
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
	if i := slices.Index(c.group.open, c); i >= 0 {
		c.group.open = slices.Delete(c.group.open, i, i+1)
	}
	c.end(context.Canceled)
}

// end ends the context, unless it has ended.
func (c *Context) end(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
}

// Until returns the deadline, without the parent's.
func (c *Context) Until() time.Time {
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
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
func (c *Context) Done() <-chan struct{} {
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err implements [context.Context].
func (c *Context) Err() error {
	c.group.mu.Lock()
	defer c.group.mu.Unlock()
	return c.err
}

// Value implements [context.Context].
func (c *Context) Value(k any) any {
	if _, ok := k.(key); ok {
		return c
	}
	return c.parent.Value(k)
}
