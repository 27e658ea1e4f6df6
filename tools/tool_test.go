package tools

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

func mustNew[In, Out any](t testing.TB, f func(context.Context, *Call, In) (Out, error), mw ...Middleware) *Tool {
	t.Helper()
	tool, err := New("t", "A tool.", f, mw...)
	require.NoError(t, err)
	return tool
}

func call(t *Tool, args string) (Result, error) {
	return t.Call(context.Background(), NewCall(CallOptions{Args: json.RawMessage(args)}))
}

// noop takes In and does nothing, for what New makes of the type.
func noop[In any](context.Context, *Call, In) (string, error) { return "", nil }

func TestNewRejectsArgumentTypes(t *testing.T) {
	t.Parallel()
	type named struct {
		A string `json:"a"`
	}
	type cyclic struct {
		Next *cyclic `json:"next"`
	}
	refuse := func(want string, _ *Tool, err error) {
		t.Helper()
		require.ErrorIs(t, err, ErrSchema)
		require.ErrorContains(t, err, want)
	}
	do := func(tool *Tool, err error) func(string) {
		return func(want string) { t.Helper(); refuse(want, tool, err) }
	}
	do(New("t", "d", noop[struct {
		Key string `json:"key"`
	}]))("key: the word \"key\" is reserved")
	do(New("t", "d", noop[struct {
		Books []*struct {
			UserID string `json:"userId"`
		} `json:"books"`
	}]))("books[].userId: the word \"user\" is reserved")
	do(New("t", "d", noop[struct {
		M map[string]string `json:"m"`
	}]))("m: map[string]string is an open map")
	do(New("t", "d", noop[struct {
		A any `json:"a"`
	}]))("a: interface {} accepts any value")
	do(New("t", "d", noop[struct {
		L []any `json:"l"`
	}]))("l[]: interface {} accepts any value")
	do(New("t", "d", noop[struct {
		R json.RawMessage `json:"r"`
	}]))("r: json.RawMessage has UnmarshalJSON")
	do(New("t", "d", noop[struct {
		I big.Int `json:"i"`
	}]))("i: big.Int has UnmarshalJSON")
	do(New("t", "d", noop[struct {
		U uuid.UUID `json:"u"`
	}]))("u: uuid.UUID has UnmarshalText")
	do(New("t", "d", noop[struct {
		B []byte `json:"b"`
	}]))("b: []uint8 is base64")
	do(New("t", "d", noop[struct {
		N int `json:"n,string"`
	}]))("n: the json option")
	do(New("t", "d", noop[struct {
		named
		B int `json:"a"`
	}]))("a: two fields")
	do(New("t", "d", noop[struct {
		named
		A int `json:"-"`
	}]))("A hides a field")
	do(New("t", "d", noop[struct {
		named `json:"n"`
	}]))("embedded")
	do(New("t", "d", noop[struct {
		P *[]string `json:"p"`
	}]))("p: *[]string")
	do(New("t", "d", noop[struct {
		C func() `json:"c"`
	}]))("unsupported")
	do(New("t", "d", noop[cyclic]))("cycle")
	do(New("t", "d", noop[string]))("not a struct")
	do(New("t", "d", noop[time.Time]))("not an object")
	do(New("t", "d", noop[*named]))("not a struct")
	do(New("t", "d", noop[map[string]string]))("not a struct")
}

func TestNewRejectsInvalidParameters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a.b", "ü", strings.Repeat("a", 65)} {
		_, err := New(name, "d", noop[struct{}])
		require.ErrorContains(t, err, "must match", name)
	}
	_, err := New("t", " \n", noop[struct{}])
	require.ErrorContains(t, err, "needs a description")
	_, err = New("t", "caf\xe9", noop[struct{}])
	require.ErrorContains(t, err, "not UTF-8")
	_, err = New[struct{}, string]("t", "d", nil)
	require.ErrorContains(t, err, "is nil")
	_, err = New("t", "d", noop[struct{}], nil)
	require.ErrorContains(t, err, "middleware 0")
	_, err = New("t", "d", noop[struct{}], func(Handler) Handler { return nil })
	require.ErrorContains(t, err, "nil handler")
}

func TestAllowAcceptsReservedWords(t *testing.T) {
	t.Parallel()
	type in struct {
		SortKey string `json:"sort_key"`
		Tenant  string `json:"tenant,omitempty"`
	}
	_, err := NewWith("t", "d", noop[in], &Options{Allow: []string{"sort_key"}})
	require.ErrorContains(t, err, "tenant: the word")
	_, err = NewWith("t", "d", noop[in], &Options{Allow: []string{"sort_key", "tenant"}})
	require.NoError(t, err)
}

func TestCallDoesNotRunInvalidArguments(t *testing.T) {
	t.Parallel()
	ran, wrapped := 0, 0
	tool := mustNew(t, func(context.Context, *Call, struct {
		N  int8       `json:"n"`
		At *time.Time `json:"at"`
	}) (string, error) {
		ran++
		return "", nil
	}, func(h Handler) Handler {
		return func(ctx context.Context, c *Call) (Result, error) { wrapped++; return h(ctx, c) }
	})
	for _, args := range []string{
		``, `{`, `{"n":1}{"n":1}`, `{"n":1,"n":2}`, `{"n":"1"}`, `{"n":128}`, `{"n":1e3}`, `{"n":1.5}`, `{}`, `[]`,
		`{"n":1,"tenant":"globex"}`, `{"N":1}`, `{"n":1,"at":"yesterday"}`, `{"n":1,"at":5}`,
	} {
		_, err := call(tool, args)
		_, ok := errors.AsType[*CorrectionError](err)
		require.True(t, ok, "%s: %v", args, err)
	}
	require.Zero(t, ran)
	require.Zero(t, wrapped)

	_, err := call(tool, `{"n":-128,"at":"2026-01-02T03:04:05Z"}`)
	require.NoError(t, err)
	require.Equal(t, 1, ran)
}

func TestMiddlewareRunsOutermostFirst(t *testing.T) {
	t.Parallel()
	type in struct {
		N int `json:"n"`
	}
	var trace []string
	mark := func(name string) Middleware {
		return func(h Handler) Handler {
			return func(ctx context.Context, c *Call) (Result, error) {
				trace = append(trace, name)
				return h(ctx, c)
			}
		}
	}
	swap := func(args string) Middleware {
		return func(h Handler) Handler {
			return func(ctx context.Context, c *Call) (Result, error) {
				return h(ctx, NewCall(CallOptions{Scope: c.Scope(), Args: json.RawMessage(args)}))
			}
		}
	}
	double := func(_ context.Context, _ *Call, in in) (int, error) { return 2 * in.N, nil }

	res, err := call(mustNew(t, double, mark("outer"), mark("inner")), `{"n":4}`)
	require.NoError(t, err)
	require.Equal(t, []string{"outer", "inner"}, trace)
	require.Equal(t, "8", string(res.Blocks[0].JSON))

	// A call that middleware made is checked like any other.
	res, err = call(mustNew(t, double, swap(`{"n":5}`)), `{"n":4}`)
	require.NoError(t, err)
	require.Equal(t, "10", string(res.Blocks[0].JSON))
	_, err = call(mustNew(t, double, swap(`{"n":"5"}`)), `{"n":4}`)
	require.ErrorContains(t, err, `n: must be an integer, not "5"`)
}

func TestCallCarriesItsOptions(t *testing.T) {
	t.Parallel()
	var told []any
	st := &State{}
	o := CallOptions{
		Scope: tenant(t, "acme"), ID: "c1", Name: "mine", IdempotencyKey: "k", Args: json.RawMessage(`{}`), State: st,
		Progress: func(v any) { told = append(told, v) },
	}
	see := func(t *testing.T, want CallOptions) *Tool {
		return does(t, func(_ context.Context, c *Call) (string, error) {
			require.Equal(t, want.Scope, c.Scope())
			require.Equal(t, []string{want.ID, want.Name, want.IdempotencyKey, "{}"}, []string{c.ID(), c.Name(), c.IdempotencyKey(), string(c.Args())})
			c.Progress(0.5)
			n := 0
			return "", c.State().Update("n", &n, func() error { n++; return nil })
		})
	}
	_, err := see(t, o).Call(t.Context(), NewCall(o))
	require.NoError(t, err)
	require.Equal(t, []any{0.5}, told)
	b, err := json.Marshal(st)
	require.NoError(t, err)
	require.Equal(t, `{"n":1}`, string(b))

	// The defaults: an empty State, the name of the tool, and a Progress that is ignored.
	_, err = see(t, CallOptions{Name: "t"}).Call(t.Context(), NewCall(CallOptions{Args: json.RawMessage(`{}`)}))
	require.NoError(t, err)
}

// Shared data is that of the call's own tenant, and read-only. Every other scope becomes the zero Scope.
func TestCallDeniesForeignSharedScopes(t *testing.T) {
	t.Parallel()
	acme, globex := tenant(t, "acme"), tenant(t, "globex")
	ours, err := acme.Shared()
	require.NoError(t, err)
	theirs, err := globex.Shared()
	require.NoError(t, err)
	require.Equal(t, ours.ReadOnly(), NewCall(CallOptions{Scope: acme, Shared: ours}).Shared())
	for _, shared := range []scope.Scope{theirs, acme, globex, {}} {
		require.Error(t, NewCall(CallOptions{Scope: acme, Shared: shared}).Shared().Require())
	}
}

func TestMustPanicsOnAnError(t *testing.T) {
	t.Parallel()
	f := func(context.Context, *Call, struct{}) (string, error) { return "", nil }
	require.Equal(t, "find", Must(New("find", "Finds.", f)).Spec().Name)
	require.Panics(t, func() { Must(New("a name", "Finds.", f)) })
}

// The target is 15 µs a validated call: parse, validate, decode, run, encode.
func BenchmarkCall(b *testing.B) {
	type nested struct {
		Street string `json:"street"`
		Number int    `json:"number"`
		City   string `json:"city"`
	}
	type in struct {
		Title     string   `json:"title"`
		Author    string   `json:"author"`
		Year      *int     `json:"year"`
		Subjects  []string `json:"subjects"`
		Publisher nested   `json:"publisher"`
		Lent      bool     `json:"lent"`
		Score     float64  `json:"score"`
		Note      string   `json:"note,omitempty"`
	}
	tool := mustNew(b, func(_ context.Context, _ *Call, in in) (struct {
		Title string `json:"title"`
	}, error) {
		return struct {
			Title string `json:"title"`
		}{in.Title}, nil
	})
	c := NewCall(CallOptions{Args: []byte(`{"title":"Middlemarch","author":"George Eliot","year":1871,` +
		`"subjects":["fiction","England"],"publisher":{"street":"George Street","number":45,"city":"Edinburgh"},"lent":false,"score":0.9}`)})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tool.Call(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// The cost that the middleware of this package adds to a call.
func BenchmarkMiddleware(b *testing.B) {
	type in struct {
		Title string `json:"title" minlen:"1" pattern:"^[A-Z]"`
		Kind  string `json:"kind" enum:"book,map"`
	}
	f := func(context.Context, *Call, in) (string, error) { return "found", nil }
	for name, mw := range map[string][]Middleware{"none": nil, "all": {
		mustAudit(b, func(context.Context, AuditRecord) {}, nil), MaxUses(1 << 40), Truncate(1 << 10), RetryTransient(3), Timeout(time.Minute),
	}} {
		tool := mustNew(b, f, mw...)
		b.Run(name, func(b *testing.B) {
			c := NewCall(CallOptions{Args: []byte(`{"title":"Middlemarch","kind":"book"}`)})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tool.Call(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New("t", "A tool.", noop[everything]); err != nil {
			b.Fatal(err)
		}
	}
}
