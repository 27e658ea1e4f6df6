package history_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/tools"
)

func newSession(tenant string) scope.Scope {
	return must.Get(must.Get(must.Get(scope.Tenant(tenant)).User("u1")).NewSession())
}

func newStore(t *testing.T, d table.Driver, b *object.Bucket) *history.Store {
	t.Helper()
	s, err := history.New(must.Get(table.New(d, nil)), &history.Options{Objects: b})
	require.NoError(t, err)
	return s
}

func turn(prompt, answer string) agent.Turn {
	return agent.Turn{Messages: []agent.Message{
		{Role: agent.RoleUser, Parts: []agent.Part{{Text: prompt}}}, {Role: agent.RoleAssistant, Parts: []agent.Part{{Text: answer}}},
	}}
}

func state(t *testing.T, n int) *tools.State {
	t.Helper()
	s, v := &tools.State{}, 0
	require.NoError(t, s.Update("test.n", &v, func() error { v = n; return nil }))
	return s
}

func stateOf(t *testing.T, h agent.History) (n int) {
	t.Helper()
	require.NotNil(t, h.State)
	_, err := h.State.Get("test.n", &n)
	require.NoError(t, err)
	return n
}

func TestTurnsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir, session := t.TempDir(), newSession("acme")
	for n := 1; n <= 3; n++ {
		d := must.Get(bolt.Open(dir))
		s := newStore(t, d, nil)
		h, head, err := s.Load(t.Context(), session)
		require.NoError(t, err)
		assert.Equal(t, history.Position{Turns: n - 1}, head)
		assert.Len(t, h.Turns, n-1)
		if n > 1 {
			assert.Equal(t, n-1, stateOf(t, h))
		}
		require.NoError(t, s.Append(t.Context(), session, n, turn(fmt.Sprint("question ", n), "answer"), state(t, n)))
		require.NoError(t, d.Close())
	}
}

func TestTurnsAreNeverReplaced(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession("acme")
	require.NoError(t, s.Append(t.Context(), session, 1, turn("a", "b"), state(t, 1)))
	var again agent.Turn // as a process reads it from a checkpoint
	require.NoError(t, json.Unmarshal(must.Get(json.Marshal(turn("a", "b"))), &again))
	require.NoError(t, s.Append(t.Context(), session, 1, again, state(t, 1)))
	require.ErrorIs(t, s.Append(t.Context(), session, 1, turn("a", "c"), state(t, 1)), history.ErrForked)
	require.ErrorIs(t, s.Append(t.Context(), session, 1, turn("a", "b"), state(t, 2)), history.ErrForked)
	for _, n := range []int{0, -1, 1_000_000} {
		require.ErrorIs(t, s.Append(t.Context(), session, n, turn("a", "b"), nil), history.ErrInvalid)
	}
	require.Error(t, s.Append(t.Context(), session, 2, agent.Turn{}, nil), "not a turn")
}

func TestCompaction(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession("acme")
	for n := 1; n <= 5; n++ {
		require.NoError(t, s.Append(t.Context(), session, n, turn(fmt.Sprint(n), "answer"), state(t, n)))
	}
	require.NoError(t, s.Compact(t.Context(), session, 1, 4, []agent.Turn{turn("of four", "a summary")}, state(t, 40)))
	require.NoError(t, s.Compact(t.Context(), session, 1, 4, []agent.Turn{turn("of four", "a summary")}, state(t, 40)))
	require.ErrorIs(t, s.Compact(t.Context(), session, 1, 4, []agent.Turn{turn("other", "x")}, state(t, 40)), history.ErrForked)
	h, head, err := s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, history.Position{Turns: 5, Compaction: 1}, head)
	assert.Equal(t, []agent.Turn{turn("of four", "a summary"), turn("5", "answer")}, h.Turns)
	assert.Equal(t, 5, stateOf(t, h))
	require.NoError(t, s.Compact(t.Context(), session, 2, 5, []agent.Turn{turn("of all", "shorter")}, state(t, 50)))
	h, head, err = s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, history.Position{Turns: 5, Compaction: 2}, head)
	assert.Equal(t, []agent.Turn{turn("of all", "shorter")}, h.Turns)
	assert.Equal(t, 50, stateOf(t, h))

	var numbers []int
	for cursor := ""; ; {
		page, err := s.Page(t.Context(), session, cursor, 2)
		require.NoError(t, err)
		for _, n := range page.Turns {
			numbers = append(numbers, n.Number)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	assert.Equal(t, []int{5, 4, 3, 2, 1}, numbers, "people see all turns")
	_, err = s.Page(t.Context(), session, "x", 2)
	require.ErrorIs(t, err, table.ErrCursor)
	_, err = s.Page(t.Context(), session, "", 101)
	require.ErrorIs(t, err, history.ErrInvalid)
}

func TestMissingTurn(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession("acme")
	require.NoError(t, s.Append(t.Context(), session, 2, turn("a", "b"), nil))
	_, _, err := s.Load(t.Context(), session)
	require.ErrorContains(t, err, "turn 1 is missing")
	require.ErrorIs(t, err, history.ErrDamaged)
}

func TestLargeTurnsAreObjects(t *testing.T) {
	t.Parallel()
	d, session := table.NewMemory(nil), newSession("acme")
	bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
	s := newStore(t, d, bucket)
	large := turn("a", strings.Repeat("long ", 200_000))
	require.ErrorIs(t, newStore(t, d, nil).Append(t.Context(), session, 1, large, nil), history.ErrTooLarge)
	require.NoError(t, s.Append(t.Context(), session, 1, large, nil))
	require.NoError(t, s.Append(t.Context(), session, 1, large, nil), "again")
	h, _, err := s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Equal(t, []agent.Turn{large}, h.Turns)

	require.NoError(t, s.Delete(t.Context(), session))
	h, head, err := s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Empty(t, h.Turns)
	assert.Zero(t, head)
	for o, err := range must.Get(bucket.In(session)).List(t.Context()) {
		t.Errorf("%v is left, %v", o, err)
	}
}

// TestPlantedObjectIsNotATurn lets somebody who may upload to the session take the name of a large turn before it is stored.
func TestPlantedObjectIsNotATurn(t *testing.T) {
	t.Parallel()
	session := newSession("acme")
	bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
	large := turn("a", strings.Repeat("long ", 200_000))
	require.NoError(t, newStore(t, table.NewMemory(nil), bucket).Append(t.Context(), session, 1, large, nil))
	root := must.Get(bucket.In(session))
	var stored string
	for ref, err := range root.List(t.Context()) {
		require.NoError(t, err)
		stored = ref.Name()
	}
	name, planted := must.Get(root.Ref(stored)), `{"turns":[`+string(must.Get(json.Marshal(turn("a", "planted"))))+`]}`
	require.NoError(t, root.Delete(t.Context(), name))
	_, _, err := root.Put(t.Context(), name, strings.NewReader(planted), &object.PutOptions{Size: int64(len(planted))})
	require.NoError(t, err)
	s := newStore(t, table.NewMemory(nil), bucket)
	require.NoError(t, s.Append(t.Context(), session, 1, large, nil))
	_, _, err = s.Load(t.Context(), session)
	require.ErrorContains(t, err, "was not written by this package")
	require.ErrorIs(t, err, history.ErrDamaged)
}

func TestObjectsOutsideTheRoots(t *testing.T) {
	t.Parallel()
	d, session := table.NewMemory(nil), newSession("acme")
	bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
	root := must.Get(bucket.In(session))
	ref := must.Get(root.Ref("cover.png"))
	s := newStore(t, d, nil)
	withPhoto := turn("what is this?", "a map")
	withPhoto.Messages[0].Parts = append(withPhoto.Messages[0].Parts, agent.Part{Image: &tools.Media{Format: "png", Object: ref}})
	require.NoError(t, s.Append(t.Context(), session, 1, withPhoto, nil))
	h, _, err := s.Load(t.Context(), session, root)
	require.NoError(t, err)
	assert.Equal(t, ref, h.Turns[0].Messages[0].Parts[1].Image.Object)
	_, _, err = s.Load(t.Context(), session, must.Get(bucket.In(newSession("globex"))))
	require.ErrorIs(t, err, object.ErrOutside)
}

func TestScopesThatHistoryRejects(t *testing.T) {
	t.Parallel()
	s, session := newStore(t, table.NewMemory(nil), nil), newSession("acme")
	user := must.Get(must.Get(scope.Tenant("acme")).User("u1"))
	for _, sc := range []scope.Scope{{}, user} {
		_, _, err := s.Load(t.Context(), sc)
		require.ErrorIs(t, err, scope.ErrDenied)
		require.ErrorIs(t, s.Append(t.Context(), sc, 1, turn("a", "b"), nil), scope.ErrDenied)
	}
	require.ErrorIs(t, s.Append(t.Context(), session.ReadOnly(), 1, turn("a", "b"), nil), scope.ErrReadOnly)
	_, err := history.New(nil, nil)
	require.ErrorIs(t, err, history.ErrInvalid)
}

// TestDeleteOfForeignItems erases a session in which somebody else has planted items.
func TestDeleteOfForeignItems(t *testing.T) {
	t.Parallel()
	d, session := table.NewMemory(nil), newSession("acme")
	bucket := must.Get(object.New(object.NewMemory(), "raw", nil))
	other := must.Get(must.Get(bucket.In(newSession("globex"))).Ref("theirs.json"))
	view := must.Get(must.Get(table.New(d, nil)).In(session))
	for i, ref := range []string{"{", "{}", string(must.Get(json.Marshal(other)))} {
		it := table.Item{Sort: fmt.Sprintf("turn#%06d", i+1), Attr: map[string]table.Value{"object": ref}}
		must.Get(view.Put(t.Context(), it, table.Absent()))
	}
	s := newStore(t, d, bucket)
	require.NoError(t, s.Delete(t.Context(), session))
	_, head, err := s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.Zero(t, head)
}

func TestCompactionWithAnInvalidNumberIsForeign(t *testing.T) {
	t.Parallel()
	d, session := table.NewMemory(nil), newSession("acme")
	view := must.Get(must.Get(table.New(d, nil)).In(session))
	for _, through := range []int{-5, 1_000_000} {
		it := table.Item{Sort: "compact#000001", Attr: map[string]table.Value{"content": fmt.Sprintf(`{"through":%d,"turns":[]}`, through)}}
		it = must.Get(view.Put(t.Context(), it, table.Absent()))
		_, _, err := newStore(t, d, nil).Load(t.Context(), session)
		require.ErrorContains(t, err, "was not written by this package")
		require.NoError(t, view.Delete(t.Context(), it.Sort, table.Version(it.Version)))
	}
}

func TestForeignItems(t *testing.T) {
	t.Parallel()
	for _, attr := range []map[string]table.Value{
		{}, {"content": int64(5)}, {"content": "{"}, {"content": `{"turns":[]}`}, {"content": `{"turns":[{"messages":[]}]}`}, {"object": "{}"},
		{"content": `{"turns":[` + string(must.Get(json.Marshal(turn("a", "b")))) + `],"state":5}`},
	} {
		d, session := table.NewMemory(nil), newSession("acme")
		view := must.Get(must.Get(table.New(d, nil)).In(session))
		must.Get(view.Put(t.Context(), table.Item{Sort: "turn#000001", Attr: attr}, table.Absent()))
		_, _, err := newStore(t, d, nil).Load(t.Context(), session)
		require.ErrorContains(t, err, `the item "turn#000001"`, "%v", attr)
		require.Equal(t, attr["object"] == nil, errors.Is(err, history.ErrDamaged), "without Options.Objects, an object is not read: %v", attr)
	}
}

// metered counts read units of DynamoDB: one for each 4 KB of a consistent read.
type metered struct {
	table.Driver
	units atomic.Int64
}

func (m *metered) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	page, err := m.Driver.Query(ctx, q)
	size := 0
	for _, r := range page.Rows {
		for name, v := range r.Attr {
			s, _ := v.(string)
			size += len(name) + len(s)
		}
	}
	m.units.Add(max(1, int64(size+4095)/4096))
	return page, err
}

// TestCostOfAHistory loads the history of an answer of 1,000 tokens.
func TestCostOfAHistory(t *testing.T) {
	t.Parallel()
	d, session := &metered{Driver: table.NewMemory(nil)}, newSession("acme")
	s := newStore(t, d, nil)
	require.NoError(t, s.Append(t.Context(), session, 1, turn("Tell me a story.", strings.Repeat("word, ", 1000)), nil))
	_, _, err := s.Load(t.Context(), session)
	require.NoError(t, err)
	assert.LessOrEqual(t, d.units.Load(), int64(5))
}

func ExampleStore() {
	ctx := context.Background()
	session := newSession("acme")
	turns, _ := history.New(must.Get(table.New(table.NewMemory(nil), nil)), nil)

	_, head, _ := turns.Load(ctx, session)
	_ = turns.Append(ctx, session, head.Turns+1, turn("What is on the cover?", "A map."), nil)

	h, head, err := turns.Load(ctx, session)
	fmt.Println(head.Turns, h.Turns[0].Messages[1].Parts[0].Text, err)
	// Output: 1 A map. <nil>
}
