package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// wire is an HTTP transport that records requests and returns the answers of the test.
// examples/integration tests real servers.
type wire struct {
	mu      sync.Mutex
	sent    []sent
	answers []answer // in order, then "{}"
}

type sent struct {
	op   string
	body map[string]any
}

type answer struct {
	status int // 0 means 200
	body   string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s := sent{op: strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")}
	if err := json.Unmarshal(b, &s.body); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, s)
	a := answer{body: "{}"}
	if len(w.answers) > 0 {
		a, w.answers = w.answers[0], w.answers[1:]
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// takeSent returns the requests since the last call.
func (w *wire) takeSent() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sent
	w.sent = nil
	return s
}

func (w *wire) takeOne(t *testing.T) sent {
	t.Helper()
	s := w.takeSent()
	require.Len(t, s, 1, "one request for each call")
	return s[0]
}

func (w *wire) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: w}, Retryer: aws.NopRetryer{},
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		BaseEndpoint: aws.String("http://dynamodb.test"),
	})
}

func at(t testing.TB, tenant, user string) scope.Scope {
	t.Helper()
	s, err := scope.Tenant(tenant)
	if user != "" {
		require.NoError(t, err)
		s, err = s.User(user)
	}
	require.NoError(t, err)
	return s
}

func view(t testing.TB, w *wire) *table.View {
	t.Helper()
	d, err := dynamo.New(w.client(), "carrel", nil)
	require.NoError(t, err)
	v, err := table.New(d, nil).In(at(t, "acme", "u1"))
	require.NoError(t, err)
	return v
}

const row = `{"pk":{"S":"t#acme#u#u1"},"sk":{"S":"x"},"v":{"N":"3"},"i1p":{"S":"t#acme#u#u1#i#c"},"i1s":{"S":"k"},"a":{"S":"b"}}`

func TestGetOnTheWire(t *testing.T) {
	t.Parallel()
	w := &wire{answers: []answer{{body: `{"Item":` + row + `}`}, {}}}
	v := view(t, w)
	it, err := v.Get(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, table.Item{
		Sort: "x", Version: 3, Attr: map[string]table.Value{"a": "b"},
		Index: []table.Entry{{Slot: table.I1, Level: scope.UserLevel, Class: "c", Sort: "k"}},
	}, it)
	require.Equal(t, sent{"GetItem", decoded(t, `{
		"TableName": "carrel", "ConsistentRead": true,
		"Key": {"pk": {"S": "t#acme#u#u1"}, "sk": {"S": "x"}}
	}`)}, w.takeOne(t))
	w.answers = []answer{{body: "{}"}}
	_, err = v.Get(t.Context(), "x")
	require.ErrorIs(t, err, table.ErrNotFound)
	require.Equal(t, "GetItem", w.takeOne(t).op)
}

func TestPutOnTheWire(t *testing.T) {
	t.Parallel()
	w := &wire{}
	v := view(t, w)
	it, err := v.Put(t.Context(), table.Item{
		Sort: "x", Attr: map[string]table.Value{"n": int64(5), "f": 5.0, "third": 0.5},
		Index: []table.Entry{{Slot: table.I2, Level: scope.TenantLevel, Class: "c", Sort: "k"}},
	}, table.Absent())
	require.NoError(t, err)
	s := w.takeOne(t)
	now := s.body["ExpressionAttributeValues"].(map[string]any)[":now"]
	delete(s.body["ExpressionAttributeValues"].(map[string]any), ":now")
	require.Regexp(t, `^\d{10}$`, now.(map[string]any)["N"])
	require.Equal(t, sent{"PutItem", decoded(t, `{
		"TableName": "carrel",
		"ConditionExpression": "attribute_not_exists(#pk) OR #ttl <= :now",
		"ExpressionAttributeNames": {"#pk": "pk", "#ttl": "ttl"},
		"ExpressionAttributeValues": {},
		"ReturnValuesOnConditionCheckFailure": "ALL_OLD",
		"Item": {
			"pk": {"S": "t#acme#u#u1"}, "sk": {"S": "x"}, "v": {"N": "1"},
			"i2p": {"S": "t#acme#i#c"}, "i2s": {"S": "k"},
			"n": {"N": "5"}, "f": {"NS": ["5"]}, "third": {"N": "0.5"}
		}
	}`)}, s)

	_, err = v.Put(t.Context(), it, table.Version(1))
	require.NoError(t, err)
	s = w.takeOne(t)
	require.Equal(t, "#v = :v AND (attribute_not_exists(#ttl) OR #ttl > :now)", s.body["ConditionExpression"])
	require.Equal(t, "ALL_OLD", s.body["ReturnValuesOnConditionCheckFailure"])

	require.NoError(t, v.Delete(t.Context(), "x", table.Version(2)))
	s = w.takeOne(t)
	require.Equal(t, "DeleteItem", s.op)
	require.Equal(t, "#v = :v AND (attribute_not_exists(#ttl) OR #ttl > :now)", s.body["ConditionExpression"])
	require.Equal(t, map[string]any{"N": "2"}, s.body["ExpressionAttributeValues"].(map[string]any)[":v"])
	require.Equal(t, "ALL_OLD", s.body["ReturnValuesOnConditionCheckFailure"])
}

func TestConflictDoesNotRead(t *testing.T) {
	t.Parallel()
	failed := func(item string) []answer {
		return []answer{{400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"` + item + `}`}}
	}
	w := &wire{answers: failed(`,"Item":` + row)}
	v := view(t, w)
	_, err := v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	conflict := &table.ConflictError{}
	require.ErrorAs(t, err, &conflict)
	require.EqualValues(t, 3, conflict.Current.Version)
	require.Equal(t, "PutItem", w.takeOne(t).op)

	w.answers = failed("")
	require.ErrorAs(t, v.Delete(t.Context(), "x", table.Version(1)), &conflict)
	require.Nil(t, conflict.Current)
	require.Equal(t, "DeleteItem", w.takeOne(t).op)

	w.answers = failed(`,"Item":{"pk":{"S":"t#acme#u#u1"},"sk":{"S":"x"},"a":{"SS":["b"]}}`)
	_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, dynamo.ErrRow, "a conflict with an item that cannot be decoded")
}

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
	v, err := table.New(d, nil).In(at(t, "acme", ""))
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
		page, err := table.NewSystem(table.New(d, nil)).Query(t.Context(), 3, table.Query{Slot: table.I3, Class: "due-uploads"})
		require.NoError(t, err, what)
		require.Len(t, page.Items, 2, what)
		require.Equal(t, at(t, "globex", "u9"), page.Items[0].Scope, what)
		require.Empty(t, page.Items[0].Item.Attr, what)
		require.Equal(t, at(t, "acme", "u1"), page.Items[1].Scope, what)
		require.Equal(t, "a.png", page.Items[1].Item.Attr["filename"], what)
	}
}

func TestErrorsAreMapped(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		message string
		want    error
		busy    bool
	}{
		"ProvisionedThroughputExceededException": {"slower", dynamo.ErrThrottled, true},
		"ThrottlingException":                    {"slower", dynamo.ErrThrottled, true},
		"RequestLimitExceeded":                   {"slower", dynamo.ErrThrottled, true},
		"TransactionConflictException":           {"Transaction is ongoing for the item", dynamo.ErrTransaction, true},
		"ResourceNotFoundException":              {"Requested resource not found", dynamo.ErrNoTable, false},
		"AccessDeniedException":                  {"is not authorized to perform", dynamo.ErrDenied, false},
		"ValidationException":                    {"One or more parameter values were invalid", dynamo.ErrValidation, false},
	} {
		t.Run(code, func(t *testing.T) {
			a := answer{400, `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"` + c.message + `"}`}
			w := &wire{answers: []answer{a, a, a, a}}
			v := view(t, w)
			_, get := v.Get(t.Context(), "x")
			_, put := v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
			_, query := v.Query(t.Context(), table.Query{})
			_, _, count := v.Count(t.Context(), table.Query{})
			for _, err := range []error{get, put, query, count} {
				require.ErrorIs(t, err, c.want)
				require.ErrorContains(t, err, code)
				require.Equal(t, c.busy, isBusy(err))
				require.NotErrorIs(t, err, table.ErrNotFound)
			}
		})
	}
	w := &wire{answers: []answer{{400, `{"__type":"x#ValidationException","message":"Item size has exceeded the maximum allowed size"}`}}}
	_, err := view(t, w).Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, table.ErrTooLarge)
	w.answers = []answer{{500, `{"__type":"x#InternalServerError"}`}}
	_, err = view(t, w).Get(t.Context(), "x")
	require.ErrorContains(t, err, "InternalServerError")
	require.False(t, isBusy(err), "the outcome is unknown")
}

func isBusy(err error) bool { return errors.Is(err, table.ErrBusy) }

func TestClientIsChosenByScope(t *testing.T) {
	t.Parallel()
	own, base := &wire{}, &wire{}
	var asked []scope.Scope
	d, err := dynamo.New(base.client(), "carrel", &dynamo.Options{For: func(_ context.Context, s scope.Scope) (dynamo.Client, error) {
		asked = append(asked, s)
		if s.TenantID() == "globex" {
			return nil, io.ErrUnexpectedEOF
		}
		return own.client(), nil
	}})
	require.NoError(t, err)
	tbl := table.New(d, nil)
	acme := at(t, "acme", "u1")
	v, err := tbl.In(acme)
	require.NoError(t, err)
	_, err = v.Query(t.Context(), table.Query{})
	require.NoError(t, err)
	own.takeOne(t)
	foreign, err := tbl.In(at(t, "globex", ""))
	require.NoError(t, err)
	_, err = foreign.Get(t.Context(), "x")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, []scope.Scope{acme, at(t, "globex", "")}, asked)
	require.Empty(t, base.takeSent())
}

func TestNewRejectsInvalidNames(t *testing.T) {
	t.Parallel()
	c := (&wire{}).client()
	for _, name := range []string{"", "ab", strings.Repeat("x", 256), "a b c", "arn:aws:dynamodb:us-east-1:123456789012:table/carrel", "carrel\n", "cärrel"} {
		_, err := dynamo.New(c, name, nil)
		require.ErrorIs(t, err, dynamo.ErrInvalid, name)
	}
	_, err := dynamo.New(nil, "carrel", &dynamo.Options{})
	require.ErrorIs(t, err, dynamo.ErrInvalid)
}

func decoded(t *testing.T, s string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(s), &v))
	return v
}

func exampleClient() *dynamodb.Client { return (&wire{}).client() }
