package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
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
	v, err := must.Get(table.New(d, nil)).In(at(t, "acme", "u1"))
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
			"pk": {"S": "t#acme#u#u1"}, "sk": {"S": "x"}, "v": {"N": "`+strconv.FormatInt(it.Version, 10)+`"},
			"i2p": {"S": "t#acme#i#c"}, "i2s": {"S": "k"},
			"n": {"N": "5"}, "f": {"NS": ["5"]}, "third": {"N": "0.5"}
		}
	}`)}, s)

	_, err = v.Put(t.Context(), it, table.Version(it.Version))
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
	tbl := must.Get(table.New(d, nil))
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

	_, err = tbl.System().Query(t.Context(), 1, table.Query{Slot: table.I3, Class: "due"})
	require.NoError(t, err)
	base.takeOne(t)
	require.Len(t, asked, 2, "a System does not have a scope to ask for")
}

func TestForMustNotReturnNil(t *testing.T) {
	t.Parallel()
	d, err := dynamo.New(nil, "carrel", &dynamo.Options{For: func(context.Context, scope.Scope) (dynamo.Client, error) { return nil, nil }})
	require.NoError(t, err)
	v := must.Get(must.Get(table.New(d, nil)).In(at(t, "acme", "u1")))
	_, err = v.Get(t.Context(), "x")
	require.ErrorIs(t, err, dynamo.ErrInvalid)
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
