package dynamo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

func TestQueriesOnTheWire(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		q    table.Query
		want string
	}{
		"partition": {table.Query{}, `{
			"TableName": "carrel", "ConsistentRead": false, "ScanIndexForward": true, "Limit": 101,
			"KeyConditionExpression": "#p = :p",
			"ExpressionAttributeNames": {"#p": "pk"}, "ExpressionAttributeValues": {":p": {"S": "t#acme#u#u1"}}
		}`},
		"consistent, from, descending": {table.Query{Consistent: true, From: "b", Desc: true, Limit: 7}, `{
			"TableName": "carrel", "ConsistentRead": true, "ScanIndexForward": false, "Limit": 8,
			"KeyConditionExpression": "#p = :p AND #s >= :from",
			"ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
			"ExpressionAttributeValues": {":p": {"S": "t#acme#u#u1"}, ":from": {"S": "b"}}
		}`},
		"index, to": {table.Query{Slot: table.I2, Class: "c", To: "z"}, `{
			"TableName": "carrel", "IndexName": "index2", "ScanIndexForward": true, "Limit": 101,
			"KeyConditionExpression": "#p = :p AND #s < :to",
			"ExpressionAttributeNames": {"#p": "i2p", "#s": "i2s"},
			"ExpressionAttributeValues": {":p": {"S": "t#acme#u#u1#i#c"}, ":to": {"S": "z"}}
		}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			_, err := view(t, w).Query(t.Context(), c.q)
			require.NoError(t, err)
			require.Equal(t, sent{"Query", decoded(t, c.want)}, w.takeOne(t))
		})
	}
}

func TestCursorOnTheWire(t *testing.T) {
	t.Parallel()
	rows := `{"Items":[` + row + `,` + row + `],"Count":2}`
	w := &wire{answers: []answer{{body: rows}, {body: "{}"}}}
	v := view(t, w)
	q := table.Query{Slot: table.I1, Class: "c", Limit: 1}
	page, err := v.Query(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, page.Items, 1, "one more row is requested, to find out whether there is a next page")
	require.Nil(t, w.takeOne(t).body["ExclusiveStartKey"])
	q.Cursor = page.Next
	page, err = v.Query(t.Context(), q)
	require.NoError(t, err)
	require.Empty(t, page.Next)
	require.Equal(t, decoded(t, `{"pk": {"S": "t#acme#u#u1"}, "sk": {"S": "x"}, "i1p": {"S": "t#acme#u#u1#i#c"}, "i1s": {"S": "k"}}`),
		w.takeOne(t).body["ExclusiveStartKey"])
}

// A page that DynamoDB ends at 1 MB has a cursor. An empty page that is not the last is
// skipped.
func TestShortPagesHaveACursor(t *testing.T) {
	t.Parallel()
	last := `"LastEvaluatedKey":{"pk":{"S":"t#acme#u#u1"},"sk":{"S":"x"}}`
	w := &wire{answers: []answer{{body: `{"Items":[],"Count":0,` + last + `}`}, {body: `{"Items":[` + row + `],"Count":1,` + last + `}`}}}
	page, err := view(t, w).Query(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.NotEmpty(t, page.Next)
	s := w.takeSent()
	require.Len(t, s, 2)
	require.Equal(t, decoded(t, `{"pk": {"S": "t#acme#u#u1"}, "sk": {"S": "x"}}`), s[1].body["ExclusiveStartKey"])
}

func TestCountsOnTheWire(t *testing.T) {
	t.Parallel()
	last := `"LastEvaluatedKey":{"pk":{"S":"t#acme#u#u1"},"sk":{"S":"x"}}`
	w := &wire{answers: []answer{{body: `{"Count":600,"ScannedCount":700,` + last + `}`}, {body: `{"Count":30,"ScannedCount":30}`}}}
	v := view(t, w)
	n, capped, err := v.Count(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Equal(t, 630, n)
	require.False(t, capped)
	s := w.takeSent()
	require.Len(t, s, 2)
	delete(s[0].body["ExpressionAttributeValues"].(map[string]any), ":now")
	require.Equal(t, sent{"Query", decoded(t, `{
		"TableName": "carrel", "IndexName": "index1", "ScanIndexForward": true, "Select": "COUNT", "Limit": 1001,
		"KeyConditionExpression": "#p = :p",
		"FilterExpression": "(attribute_not_exists(#ttl) OR #ttl > :now) AND (#pk = :own OR begins_with(#pk, :below))",
		"ExpressionAttributeNames": {"#p": "i1p", "#ttl": "ttl", "#pk": "pk"},
		"ExpressionAttributeValues": {":p": {"S": "t#acme#u#u1#i#c"}, ":own": {"S": "t#acme#u#u1"}, ":below": {"S": "t#acme#u#u1#"}}
	}`)}, s[0])
	require.EqualValues(t, 401, s[1].body["Limit"], "the rows that are still missing")

	w.answers = []answer{{body: `{"Count":1001,` + last + `}`}}
	n, capped, err = v.Count(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Equal(t, 1000, n)
	require.True(t, capped)
	require.NotContains(t, w.takeOne(t).body["FilterExpression"], "#pk", "a partition contains own rows only")
}

// A call makes a limited number of requests, for any number of rows that do not count and
// of empty pages.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	last := `"LastEvaluatedKey":{"pk":{"S":"t#acme#u#u1"},"sk":{"S":"x"}}`
	endless := func(body string) *wire { return &wire{answers: slices.Repeat([]answer{{body: body}}, 1000)} }

	w := endless(`{"Count":3,"ScannedCount":1000,` + last + `}`)
	n, capped, err := view(t, w).Count(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Equal(t, 30, n)
	require.True(t, capped)
	require.Len(t, w.takeSent(), 10)

	w = endless(`{"Count":0,"ScannedCount":1,` + last + `}`) // a page of 1 MB may contain few rows
	n, capped, err = view(t, w).Count(t.Context(), table.Query{})
	require.NoError(t, err)
	require.Zero(t, n)
	require.True(t, capped)
	require.Len(t, w.takeSent(), 10)

	w = endless(`{"Items":[],"Count":0,` + last + `}`)
	_, err = view(t, w).Query(t.Context(), table.Query{})
	require.ErrorContains(t, err, "empty pages")
	require.Len(t, w.takeSent(), 10)
}

// A foreign row in an index is not decoded, so it cannot make a page fail.
func TestForeignRowsAreNotDecoded(t *testing.T) {
	t.Parallel()
	forged := `{"pk":{"S":"t#globex"},"sk":{"S":"x"},"v":{"N":"-1"},"i1p":{"S":"t#acme#u#u1#i#c"},"i1s":{"S":"k"},"a":{"SS":["b"]},"_x":{"S":"y"}}`
	w := &wire{answers: []answer{{body: `{"Items":[` + forged + `,` + row + `]}`}, {body: `{"Items":[` + strings.Replace(forged, "t#globex", "t#acme#u#u1", 1) + `]}`}}}
	v := view(t, w)
	page, err := v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	_, err = v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.ErrorIs(t, err, dynamo.ErrRow, "a damaged row of the scope itself is an error")
}

// A writer of a narrower scope must not be able to make the lists of a wider scope fail.
func TestRowsOfNarrowerScopesDoNotSpoilAList(t *testing.T) {
	t.Parallel()
	in := func(pk, rest string) string {
		return `{"pk":{"S":"` + pk + `"},"sk":{"S":"x"},"i1p":{"S":"t#acme#i#c"},"i1s":{"S":"k"}` + rest + `}`
	}
	w := &wire{answers: []answer{{body: `{"Items":[` + in("t#acme#u#u9", `,"a":{"SS":["b"]}`) + `,` + in("t#acme#u#u1", `,"a":{"S":"b"}`) + `]}`}}}
	d, err := dynamo.New(w.client(), "carrel", nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(at(t, "acme", ""))
	require.NoError(t, err)
	page, err := v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
	require.Equal(t, at(t, "acme", "u9"), page.Items[0].Scope, "it is listed, and Get returns the error")
	require.Empty(t, page.Items[0].Item.Attr)
	require.Zero(t, page.Items[0].Item.Version)
	require.Equal(t, "b", page.Items[1].Item.Attr["a"])
}

// Every writer can place a row in a shard. Its other attributes must not hide other rows.
func TestForgedRowsDoNotHideAShard(t *testing.T) {
	t.Parallel()
	in := func(pk, rest string) string {
		return `{"pk":{"S":"` + pk + `"},"sk":{"S":"meta"},"i3p":{"S":"` + scope.Shard("due-uploads", 3) + `"},"i3s":{"S":"k"}` + rest + `}`
	}
	const ours, theirs = "t#acme#u#u1", "t#globex#u#u9"
	for what, rest := range map[string]string{
		"an attribute that is not a Value": `,"filename":{"SS":["b"]}`,
		"an invalid expiry":                `,"ttl":{"S":"never"}`,
		"an invalid version":               `,"v":{"N":"-1"}`,
		"a name that is reserved":          `,"_x":{"S":"y"}`,
	} {
		w := &wire{answers: []answer{{body: `{"Items":[` + in(theirs, rest) + `,` + in(ours, `,"filename":{"S":"a.png"}`) + `]}`}}}
		d, err := dynamo.New(w.client(), "carrel", nil)
		require.NoError(t, err)
		page, err := must.Get(table.New(d, nil)).System().Query(t.Context(), 3, table.Query{Slot: table.I3, Class: "due-uploads"})
		require.NoError(t, err, what)
		require.Len(t, page.Items, 2, what)
		require.Equal(t, at(t, "globex", "u9"), page.Items[0].Scope, what)
		require.Empty(t, page.Items[0].Item.Attr, what)
		require.Zero(t, page.Items[0].Item.Version, what)
		require.Equal(t, at(t, "acme", "u1"), page.Items[1].Scope, what)
		require.Equal(t, "a.png", page.Items[1].Item.Attr["filename"], what)
	}
}
