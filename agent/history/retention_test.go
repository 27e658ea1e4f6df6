package history_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	day       = 24 * time.Hour
	retention = 90 * day
)

// keeping is a store with a retention, on a table that can fail.
type keeping struct {
	*history.Store
	t      *testing.T
	rows   *hooked
	table  *table.Table
	bucket *object.Bucket
}

// hooked is a driver with a hook before each write.
type hooked struct {
	table.Driver
	puts   int
	before func(op string, k table.Key) error
}

func (h *hooked) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	h.puts++
	if h.before != nil {
		if err := h.before("put", k); err != nil {
			return err
		}
	}
	return h.Driver.Put(ctx, k, r, c)
}

func (h *hooked) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	if h.before != nil {
		if err := h.before("delete", k); err != nil {
			return err
		}
	}
	return h.Driver.Delete(ctx, k, c)
}

func newKeeping(t *testing.T) *keeping {
	t.Helper()
	k := &keeping{t: t, rows: &hooked{Driver: table.NewMemory(nil)}}
	k.table = must.Get(table.New(k.rows, nil))
	k.bucket = must.Get(object.New(object.NewMemory(), "raw", nil))
	k.Store = must.Get(history.New(k.table, &history.Options{Objects: k.bucket, Retention: retention}))
	return k
}

// say appends the next turn as a run does, and returns its number.
func (k *keeping) say(session scope.Scope, prompt string) int {
	k.t.Helper()
	_, head, err := k.Load(k.t.Context(), session)
	require.NoError(k.t, err)
	require.NoError(k.t, k.Append(k.t.Context(), session, head.Turns+1, turn(prompt, "answer"), state(k.t, 1)))
	return head.Turns + 1
}

func (k *keeping) clean() {
	k.t.Helper()
	require.NoError(k.t, k.Clean(k.t.Context(), k.table.System(), nil))
}

func (k *keeping) turns(session scope.Scope) []agent.Turn {
	k.t.Helper()
	h, _, err := k.Load(k.t.Context(), session)
	require.NoError(k.t, err)
	return h.Turns
}

// sorts returns the sort keys of the session's items.
func (k *keeping) sorts(session scope.Scope) []string {
	k.t.Helper()
	page, err := must.Get(k.table.In(session)).Query(k.t.Context(), table.Query{})
	require.NoError(k.t, err)
	var out []string
	for _, f := range page.Items {
		out = append(out, f.Item.Sort)
	}
	return out
}

func TestAConversationIsKeptFromItsNewestTurnOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, used, left := newKeeping(t), newSession("acme"), newSession("globex")
		k.say(left, "hello")
		k.say(left, strings.Repeat("long ", 200_000))
		require.NoError(t, k.Compact(t.Context(), left, 1, 1, []agent.Turn{turn("of one", "summary")}, nil))
		began := time.Now()
		for range 20 {
			k.say(used, "hello")
			time.Sleep(9 * day) // half a year in all
			if time.Since(began) < retention {
				k.clean()
				require.Len(t, k.turns(left), 2)
			}
		}
		k.clean()
		require.Len(t, k.turns(used), 20, "the oldest turn stays while the conversation goes on")
		require.Empty(t, k.sorts(left))
		for ref, err := range must.Get(k.bucket.In(left)).List(t.Context()) {
			t.Errorf("%v is left, %v", ref, err)
		}
		require.Equal(t, 1, k.say(left, "hello again"), "the session can be used again")

		time.Sleep(retention - 9*day)
		k.clean()
		require.Len(t, k.turns(used), 20, "less than the retention")
		time.Sleep(retention/10 + 9*day)
		k.clean()
		require.Empty(t, k.sorts(used), "more than the retention and a tenth of it")
	})
}

func TestWithoutARetentionNothingIsDeletedOrMarked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, session := newKeeping(t), newSession("acme")
		k.Store = must.Get(history.New(k.table, nil))
		k.say(session, "hello")
		time.Sleep(1000 * day)
		k.clean()
		require.Equal(t, []string{"turn#000001"}, k.sorts(session))
	})
	for _, d := range []time.Duration{-1, time.Minute} {
		_, err := history.New(must.Get(table.New(table.NewMemory(nil), nil)), &history.Options{Retention: d})
		require.ErrorIs(t, err, history.ErrInvalid)
	}
}

// Most turns cost one write, as without a retention.
func TestAMarkerIsWrittenForATenthOfTheRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, session := newKeeping(t), newSession("acme")
		for range 90 {
			k.say(session, "hello")
			time.Sleep(day)
		}
		require.Equal(t, 90+10, k.rows.puts)
	})
}

func TestDeleteRemovesTheMarker(t *testing.T) {
	t.Parallel()
	k, session := newKeeping(t), newSession("acme")
	k.say(session, "hello")
	require.Equal(t, []string{"history", "turn#000001"}, k.sorts(session))
	require.NoError(t, k.Delete(t.Context(), session))
	require.Empty(t, k.sorts(session))
}

func TestKeptConversationsAreAskedAboutAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, session, asked := newKeeping(t), newSession("acme"), 0
		k.say(session, "hello")
		isKept, failure := true, error(nil)
		clean := func() error {
			return k.Clean(t.Context(), k.table.System(), func(_ context.Context, s scope.Scope) (bool, error) {
				require.Equal(t, session, s)
				asked++
				return isKept, failure
			})
		}
		time.Sleep(retention * 11 / 10)
		failure = errors.New("the table of records is away")
		require.ErrorIs(t, clean(), failure)
		require.Len(t, k.turns(session), 1)
		failure = nil
		require.NoError(t, clean())
		require.NoError(t, clean())
		require.Equal(t, 2, asked)
		require.Len(t, k.turns(session), 1)
		time.Sleep(retention * 11 / 10)
		isKept = false
		require.NoError(t, clean())
		require.Empty(t, k.sorts(session))
	})
}

// A message that arrives at any step of a Clean is kept, and so is what numbers it.
func TestAMessageDuringACleanIsKept(t *testing.T) {
	t.Parallel()
	for step := range 6 { // the marker, three turns, the compaction, the marker
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k, session := newKeeping(t), newSession("acme")
				for range 3 {
					k.say(session, "old")
				}
				require.NoError(t, k.Compact(t.Context(), session, 1, 2, []agent.Turn{turn("of two", "summary")}, nil))
				time.Sleep(retention * 11 / 10)
				writes := 0
				k.rows.before = func(string, table.Key) error {
					if writes++; writes == step+1 {
						before := k.rows.before
						k.rows.before = nil
						k.say(session, "new")
						k.rows.before = before
					}
					return nil
				}
				k.clean()
				require.GreaterOrEqual(t, writes, step+1)
				k.rows.before = nil
				h := k.turns(session)
				require.Equal(t, turn("new", "answer"), h[len(h)-1])
				k.say(session, "newer")
				h = k.turns(session)
				require.Equal(t, []agent.Turn{turn("new", "answer"), turn("newer", "answer")}, h[len(h)-2:])
				require.Contains(t, k.sorts(session), "history", "it is deleted later")
				time.Sleep(retention * 11 / 10)
				k.clean()
				require.Empty(t, k.sorts(session))
			})
		})
	}
}

// A run that has loaded the conversation before it was deleted, and ends its turn afterwards, leaves a conversation that
// can be loaded.
func TestATurnThatEndsAfterTheConversationWasDeletedIsKept(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*keeping, scope.Scope) error{
		"clean":  func(k *keeping, _ scope.Scope) error { return k.Clean(k.t.Context(), k.table.System(), nil) },
		"delete": func(k *keeping, session scope.Scope) error { return k.Delete(k.t.Context(), session) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k, session := newKeeping(t), newSession("acme")
				for range 3 {
					k.say(session, "old")
				}
				time.Sleep(retention * 11 / 10)
				require.NoError(t, remove(k, session))
				require.Empty(t, k.sorts(session))
				require.NoError(t, k.Append(t.Context(), session, 4, turn("late", "answer"), nil))
				require.Equal(t, []agent.Turn{turn("late", "answer")}, k.turns(session))
				require.Equal(t, 5, k.say(session, "newer"))
			})
		})
	}
}

// A turn that Clean has not deleted is missed, also at the beginning and with a Retention.
func TestALostTurnIsMissedDespiteARetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for lost := range 2 {
			k, session := newKeeping(t), newSession("acme")
			for range 3 {
				k.say(session, "old")
			}
			view, sort := must.Get(k.table.In(session)), fmt.Sprintf("turn#%06d", lost+1)
			it := must.Get(view.Get(t.Context(), sort))
			require.NoError(t, view.Delete(t.Context(), sort, table.Version(it.Version)))
			_, _, err := k.Load(t.Context(), session)
			require.ErrorIs(t, err, history.ErrDamaged)
			require.ErrorContains(t, err, fmt.Sprintf("turn %d is missing", lost+1))
		}
	})
}

// The rest of an interrupted Clean can be loaded, and the next Clean deletes it.
func TestACleanThatFailsIsContinued(t *testing.T) {
	t.Parallel()
	for step := range 4 {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k, session, broken := newKeeping(t), newSession("acme"), errors.New("the disk is full")
				other := newSession("acme")
				for range 3 {
					k.say(session, "old")
				}
				k.say(other, "old")
				time.Sleep(retention * 11 / 10)
				writes := 0
				k.rows.before = func(_ string, key table.Key) error {
					if owner, ok := key.Scope(); !ok || owner != session {
						return nil
					}
					if writes++; writes > step {
						return broken
					}
					return nil
				}
				require.ErrorIs(t, k.Clean(t.Context(), k.table.System(), nil), broken)
				require.Empty(t, k.sorts(other), "the others are not affected")
				k.rows.before = nil
				k.turns(session)
				k.clean()
				require.Empty(t, k.sorts(session))
			})
		})
	}
}

func TestForeignMarkersAreReportedAndSkipped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, session, victim := newKeeping(t), newSession("acme"), newSession("acme")
		k.say(victim, "hello")
		index := func(shard int) []table.Entry {
			return []table.Entry{{Slot: table.I3, Level: scope.None, Class: "history", Shard: shard, Sort: "1"}}
		}
		for i, s := range []scope.Scope{session, must.Get(scope.Tenant("acme"))} {
			view := must.Get(k.table.In(s))
			for _, sort := range []string{"history", "x"} {
				must.Get(view.Put(t.Context(), table.Item{Sort: sort, Index: index(i)}, table.Absent()))
			}
		}
		require.ErrorContains(t, k.Clean(t.Context(), k.table.System(), nil), `the item "history": it was not written by this package`)
		err := k.Append(t.Context(), session, 1, turn("a", "b"), nil)
		require.ErrorContains(t, err, `the item "history": it was not written`)
		require.ErrorIs(t, err, history.ErrDamaged)
		require.Len(t, k.turns(victim), 1)
	})
}

// Many planted items delay a Clean but do not stop it.
func TestCleanContinuesBehindPlantedItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, session := newKeeping(t), newSession("acme")
		k.say(session, "hello")
		view := must.Get(k.table.In(newSession("globex")))
		for i := range 2500 {
			must.Get(view.Put(t.Context(), table.Item{Sort: fmt.Sprint("x", i), Index: []table.Entry{{
				Slot: table.I3, Level: scope.None, Class: "history", Shard: 0, Sort: fmt.Sprintf("1%06d", i),
			}}}, table.Absent()))
		}
		time.Sleep(retention * 11 / 10)
		for range 2 {
			k.clean()
		}
		require.Empty(t, k.sorts(session))
	})
}

func TestCleanEndsWithItsContextAndNeedsASystem(t *testing.T) {
	t.Parallel()
	k := newKeeping(t)
	require.ErrorIs(t, k.Clean(t.Context(), nil, nil), history.ErrInvalid)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, k.Clean(ctx, k.table.System(), nil), context.Canceled)
}
