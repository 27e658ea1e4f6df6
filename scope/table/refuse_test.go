package table_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// noDriver panics if a rejected call reaches the store.
type noDriver struct{ table.Driver }

func TestInvalidItemsAreRejected(t *testing.T) {
	t.Parallel()
	v, err := must.Get(table.New(noDriver{}, nil)).In(at(t, "acme/u1/1"))
	require.NoError(t, err)
	attr := func(name string, value table.Value) table.Item {
		return table.Item{Sort: "x", Attr: map[string]table.Value{name: value}}
	}
	entry := func(e ...table.Entry) table.Item { return table.Item{Sort: "x", Index: e} }
	good := table.Entry{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "s"}
	with := func(change func(e *table.Entry)) table.Item {
		e := good
		change(&e)
		return entry(e)
	}
	deep := func(n int) table.Value {
		var v table.Value
		for range n {
			v = []table.Value{v}
		}
		return v
	}
	for name, c := range map[string]struct {
		item table.Item
		want error
	}{
		"no sort":              {table.Item{}, table.ErrSort},
		"long sort":            {table.Item{Sort: strings.Repeat("x", table.MaxSort+1)}, table.ErrSort},
		"sort not UTF-8":       {table.Item{Sort: "a\xff"}, table.ErrSort},
		"NUL in sort":          {table.Item{Sort: "a\x00b"}, table.ErrSort},
		"line break in sort":   {table.Item{Sort: "a\n"}, table.ErrSort},
		"partition key":        {attr("pk", "t#globex"), table.ErrAttr},
		"sort key":             {attr("sk", "x"), table.ErrAttr},
		"version":              {attr("v", int64(1)), table.ErrAttr},
		"expiry":               {attr("ttl", int64(1)), table.ErrAttr},
		"index partition":      {attr("i3p", "x"), table.ErrAttr},
		"index sort":           {attr("i1s", "x"), table.ErrAttr},
		"underscore":           {attr("_x", "x"), table.ErrAttr},
		"no name":              {attr("", "x"), table.ErrAttr},
		"long name":            {attr(strings.Repeat("n", 256), "x"), table.ErrAttr},
		"name not UTF-8":       {attr("\xff", "x"), table.ErrAttr},
		"no name inside":       {attr("m", map[string]table.Value{"": "x"}), table.ErrAttr},
		"int":                  {attr("n", 5), table.ErrAttr},
		"uint8":                {attr("n", uint8(5)), table.ErrAttr},
		"float32":              {attr("n", float32(5)), table.ErrAttr},
		"time":                 {attr("n", time.Now()), table.ErrAttr},
		"strings":              {attr("n", []string{"a"}), table.ErrAttr},
		"pointer":              {attr("n", new(int64)), table.ErrAttr},
		"map of strings":       {attr("n", map[string]string{}), table.ErrAttr},
		"int deep inside":      {attr("m", map[string]table.Value{"l": []table.Value{nil, 5}}), table.ErrAttr},
		"NaN":                  {attr("n", math.NaN()), table.ErrAttr},
		"infinity":             {attr("n", math.Inf(-1)), table.ErrAttr},
		"beyond numbers":       {attr("n", 1e126), table.ErrAttr},
		"below numbers":        {attr("n", 9e-131), table.ErrAttr},
		"text not UTF-8":       {attr("s", "\xc3"), table.ErrAttr},
		"too deep":             {attr("l", deep(32)), table.ErrAttr},
		"too large":            {attr("s", strings.Repeat("x", table.MaxItem)), table.ErrTooLarge},
		"many small":           {attr("l", make([]table.Value, table.MaxItem)), table.ErrTooLarge},
		"expiry in 1970":       {table.Item{Sort: "x", Expires: time.Unix(0, 0)}, table.ErrExpires},
		"expiry in year 10000": {table.Item{Sort: "x", Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, table.ErrExpires},
		"slot twice":           {entry(good, good), table.ErrEntry},
		"no slot":              {with(func(e *table.Entry) { e.Slot = 0 }), table.ErrEntry},
		"slot four":            {with(func(e *table.Entry) { e.Slot = 4 }), table.ErrEntry},
		"no index sort":        {with(func(e *table.Entry) { e.Sort = "" }), table.ErrEntry},
		"control in sort":      {with(func(e *table.Entry) { e.Sort = "a\x00" }), table.ErrEntry},
		"no class":             {with(func(e *table.Entry) { e.Class = "" }), table.ErrEntry},
		"class with #":         {with(func(e *table.Entry) { e.Class = "a#b" }), table.ErrEntry},
		"a level beside":       {with(func(e *table.Entry) { e.Level = scope.SharedLevel }), table.ErrEntry},
		"shard at a level":     {with(func(e *table.Entry) { e.Shard = 1 }), table.ErrEntry},
		"shard below zero":     {with(func(e *table.Entry) { e.Level, e.Shard = scope.None, -1 }), table.ErrEntry},
		"bad name of a shard":  {with(func(e *table.Entry) { e.Level, e.Class = scope.None, "due#1" }), table.ErrEntry},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Put(t.Context(), c.item, table.Absent())
			require.ErrorIs(t, err, c.want)
		})
	}
	_, err = v.Put(t.Context(), attr("m", map[string]table.Value{"l": []table.Value{nil, 5}}), table.Absent())
	require.EqualError(t, err, `table: invalid attribute: "m"["l"][1] has the type int: must be a table.Value, such as int64`)
}

func TestWritesNeedAFittingCondition(t *testing.T) {
	t.Parallel()
	v, err := must.Get(table.New(noDriver{}, nil)).In(at(t, "acme"))
	require.NoError(t, err)
	for _, c := range []struct {
		version int64
		cond    table.Cond
	}{
		{0, table.Cond{}},
		{1, table.Cond{}},
		{0, table.Version(0)},
		{-1, table.Version(-1)},
		{math.MaxInt64, table.Version(math.MaxInt64)},
		{0, table.Version(3)}, // a new item would drop attributes that the stored one has
		{2, table.Version(3)},
		{1, table.Absent()},
	} {
		_, err := v.Put(t.Context(), table.Item{Sort: "x", Version: c.version}, c.cond)
		require.ErrorIs(t, err, table.ErrCond, "%d, %s", c.version, c.cond)
	}
	for _, c := range []table.Cond{{}, table.Absent(), table.Version(0), table.Version(-1)} {
		require.ErrorIs(t, v.Delete(t.Context(), "x", c), table.ErrCond)
	}
	require.ErrorIs(t, v.Delete(t.Context(), "", table.Version(1)), table.ErrSort)
	_, err = v.Get(t.Context(), "a\x00")
	require.ErrorIs(t, err, table.ErrSort)
}

func TestInvalidQueriesAreRejected(t *testing.T) {
	t.Parallel()
	v, err := must.Get(table.New(noDriver{}, nil)).In(at(t, "acme/u1"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		q    table.Query
		want error
	}{
		"slot below zero":   {table.Query{Slot: -1}, table.ErrQuery},
		"slot four":         {table.Query{Slot: 4, Class: "c"}, table.ErrQuery},
		"index, no class":   {table.Query{Slot: table.I1}, table.ErrQuery},
		"class, no index":   {table.Query{Class: "c"}, table.ErrQuery},
		"class of another":  {table.Query{Slot: table.I1, Class: "c#x"}, table.ErrQuery},
		"consistent index":  {table.Query{Slot: table.I1, Class: "c", Consistent: true}, table.ErrQuery},
		"limit below zero":  {table.Query{Limit: -1}, table.ErrQuery},
		"limit too high":    {table.Query{Limit: table.MaxLimit + 1}, table.ErrQuery},
		"turned range":      {table.Query{From: "b", To: "a"}, table.ErrQuery},
		"empty range":       {table.Query{From: "a", To: "a"}, table.ErrQuery},
		"range not UTF-8":   {table.Query{To: "a\xff"}, table.ErrQuery},
		"NUL in the range":  {table.Query{From: "\x00"}, table.ErrQuery},
		"bound too long":    {table.Query{From: strings.Repeat("x", table.MaxSort+1)}, table.ErrQuery},
		"cursor from space": {table.Query{Cursor: "*"}, table.ErrCursor},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Query(t.Context(), c.q)
			require.ErrorIs(t, err, c.want)
			if c.q.Limit == 0 && c.q.Cursor == "" {
				_, _, err = v.Count(t.Context(), c.q)
				require.ErrorIs(t, err, c.want)
			}
		})
	}
	_, err = v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c", Consistent: true})
	require.EqualError(t, err, "table: invalid query: an index cannot be read consistently")
	require.ErrorIs(t, err, table.ErrInvalid)
	for _, q := range []table.Query{{Limit: 1}, {Desc: true}, {Cursor: "x"}} {
		_, _, err := v.Count(t.Context(), q)
		require.ErrorIs(t, err, table.ErrQuery)
	}
}

func TestZeroScopeIsDenied(t *testing.T) {
	t.Parallel()
	_, err := must.Get(table.New(noDriver{}, nil)).In(scope.Scope{})
	require.ErrorIs(t, err, scope.ErrDenied)
	var v table.View
	_, err = v.Get(t.Context(), "x")
	require.ErrorIs(t, err, scope.ErrDenied)
	_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, scope.ErrDenied)
	require.ErrorIs(t, v.Delete(t.Context(), "x", table.Version(1)), scope.ErrDenied)
	_, err = v.Query(t.Context(), table.Query{})
	require.ErrorIs(t, err, scope.ErrDenied)
}
