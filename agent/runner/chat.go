package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools/approval"
)

// Conversation identifies a conversation by an id that its client chose, such as the chat id of the AI SDK.
type Conversation struct {
	// User is the scope of the user that the request was authenticated for.
	User scope.Scope
	// Dialect is the protocol of the client. Equal ids in different dialects are different conversations. 1 to 32
	// lower-case letters and digits.
	Dialect string
	// ID is the client's id: 1 to 256 characters of any kind.
	ID string
	// Agent and Shared are those of the conversation's runs, see [Request].
	Agent  string
	Shared scope.Scope
	// Strict makes Start return [agent.ErrWaiting] while the newest run waits for approvals that can be decided. By
	// default the message overtakes the calls.
	Strict bool
	// By names the person in the record of a decision. Empty means the id of the user.
	By string
}

// Chat is a conversation of a user under the client's id. It serves one request: packages aisdk and agui take it.
type Chat struct {
	runner *Runner
	c      Conversation
	view   *table.View // of the user
	sort   string
}

// The item of a chat. Only its expiry changes.
const (
	chatPrefix  = "chat#" // and the SHA-256 of the dialect and the id
	sessionAttr = "session"
)

// Chat returns a conversation, which need not exist yet. It reads and writes nothing. It returns [ErrInvalid] if the
// dialect or the id is out of range.
func (r *Runner) Chat(c Conversation) (*Chat, error) {
	if err := c.User.Require(scope.UserLevel); err != nil {
		return nil, fmt.Errorf("runner: chat: %w", err)
	}
	if n := utf8.RuneCountInString(c.ID); n < 1 || n > maxName {
		return nil, fmt.Errorf("%w: the id of a conversation has %d characters: must be 1 to %d", ErrInvalid, n, maxName)
	}
	if n := len(c.Dialect); n < 1 || n > 32 || strings.Trim(c.Dialect, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil, fmt.Errorf("%w: the dialect %.40q must be 1 to 32 lower-case letters and digits", ErrInvalid, c.Dialect)
	}
	view, err := r.table.In(c.User)
	if err != nil {
		return nil, fmt.Errorf("runner: chat: %w", err)
	}
	if c.By == "" {
		c.By = c.User.UserID()
	}
	sum := sha256.Sum256([]byte(c.Dialect + "\x00" + c.ID))
	return &Chat{r, c, view, chatPrefix + hex.EncodeToString(sum[:])}, nil
}

// Session returns the session of the conversation, which it makes if the conversation is new. The same conversation
// always has the same session, until it has not been used for [Options].ChatRetention.
func (c *Chat) Session(ctx context.Context) (scope.Scope, error) {
	it, err := c.view.Get(ctx, c.sort)
	switch {
	case err == nil:
		return c.keepSession(ctx, it)
	case !errors.Is(err, table.ErrNotFound):
		return scope.Scope{}, fmt.Errorf("runner: chat: %w", err)
	}
	session, err := c.c.User.NewSession()
	if err != nil {
		return session, err
	}
	it = table.Item{
		Sort: c.sort, Expires: c.computeExpiry(), Attr: map[string]table.Value{sessionAttr: session.SessionID()},
	}
	_, err = c.view.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		return c.parseSession(*conflict.Current) // another request has put it, or an answer was lost
	}
	if err != nil {
		return scope.Scope{}, fmt.Errorf("runner: chat: %w", err)
	}
	return session, nil
}

// computeExpiry returns when the item of a chat that is used now expires. It is later than necessary, so that few uses
// write.
func (c *Chat) computeExpiry() time.Time {
	if c.runner.o.ChatRetention == 0 {
		return time.Time{}
	}
	return time.Now().Add(2 * c.runner.o.ChatRetention)
}

// keepSession returns the session in the item of a chat, and changes the item's expiry if that is too early.
func (c *Chat) keepSession(ctx context.Context, it table.Item) (scope.Scope, error) {
	session, err := c.parseSession(it)
	if err != nil {
		return session, err
	}
	isForever, retention := it.Expires.IsZero(), c.runner.o.ChatRetention
	if isForever == (retention == 0) && (isForever || time.Until(it.Expires) >= retention) {
		return session, nil
	}
	it.Expires = c.computeExpiry()
	_, err = c.view.Put(ctx, it, table.Version(it.Version))
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && conflict.Current != nil {
		return c.parseSession(*conflict.Current) // another request has done it
	}
	if err != nil {
		return scope.Scope{}, fmt.Errorf("runner: chat: %w", err)
	}
	return session, nil
}

// findSession returns the session, or [ErrNotFound] if the conversation is new.
func (c *Chat) findSession(ctx context.Context) (scope.Scope, error) {
	it, err := c.view.Get(ctx, c.sort)
	switch {
	case errors.Is(err, table.ErrNotFound):
		return scope.Scope{}, ErrNotFound
	case err != nil:
		return scope.Scope{}, fmt.Errorf("runner: chat: %w", err)
	}
	return c.parseSession(it)
}

func (c *Chat) parseSession(it table.Item) (scope.Scope, error) {
	id, _ := it.Attr[sessionAttr].(string)
	session, err := c.c.User.Session(id)
	if err != nil {
		return session, fmt.Errorf("%w: %q", errForeign, it.Sort)
	}
	return session, nil
}

// Start starts the run that answers a message, and returns the id of the run. key is the idempotency key of the
// message, see [Runner.Start].
func (c *Chat) Start(ctx context.Context, key, prompt string) (run string, err error) {
	session, err := c.Session(ctx)
	if err != nil {
		return "", err
	}
	return extractID(c.runner.startRequest(ctx, Request{
		Scope: session, Shared: c.c.Shared, Agent: c.c.Agent, Prompt: prompt, Key: key,
	}, c.c.Strict))
}

func extractID(r *Run, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return r.ID, nil
}

// Decide decides on calls for which a run of the conversation waits, and returns the id of the run that makes them, see
// [Runner.DecideAll]. If run is empty, it is the first of Runs. Decide returns [agent.ErrNotWaiting] if the decisions
// come too late.
func (c *Chat) Decide(ctx context.Context, run string, ds ...agent.Decision) (next string, err error) {
	session, err := c.findSession(ctx)
	if err != nil {
		return "", err
	}
	if run == "" {
		runs, err := c.Runs(ctx)
		if err != nil {
			return "", err
		}
		if len(runs) == 0 {
			return "", ErrNotFound
		}
		run = runs[0]
	}
	next, err = extractID(c.runner.DecideAll(ctx, session, run, c.c.By, ds...))
	for _, late := range []error{ErrNotPending, approval.ErrNotFound, approval.ErrDecided} {
		if errors.Is(err, late) {
			return "", fmt.Errorf("%w: %w", agent.ErrNotWaiting, err)
		}
	}
	return next, err
}

// Runs returns the ids of the newest run and of the runs that it continues, oldest first. They answer the
// conversation's last message together. The result is empty if the conversation does not have a run.
func (c *Chat) Runs(ctx context.Context) (ids []string, _ error) {
	view, h, err := c.readNewest(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	session := view.Scope()
	for ids = append(ids, runID(session, h.n)); h.continues > 0; ids = append(ids, runID(session, h.n)) {
		if h, err = readHead(ctx, view, h.continues); err != nil {
			return nil, fmt.Errorf("runner: chat: %w", err)
		}
	}
	slices.Reverse(ids)
	return ids, nil
}

// readNewest returns the view of the conversation's session and its newest run. It returns [ErrNotFound] if the
// conversation does not have a run.
func (c *Chat) readNewest(ctx context.Context) (*table.View, head, error) {
	session, err := c.findSession(ctx)
	if err != nil {
		return nil, head{}, err
	}
	view, err := c.runner.table.In(session)
	if err != nil {
		return nil, head{}, fmt.Errorf("runner: chat: %w", err)
	}
	h, err := readNewestHead(ctx, view)
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("runner: chat: %w", err)
	}
	return view, h, err
}

// Follow yields the events of a run of the conversation, see [Runner.Follow].
func (c *Chat) Follow(ctx context.Context, run, after string, d replay.Dialect) iter.Seq2[[]sse.Event, error] {
	return func(yield func([]sse.Event, error) bool) {
		session, err := c.findSession(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		c.runner.Follow(ctx, session, run, after, d)(yield)
	}
}
