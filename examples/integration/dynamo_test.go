package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

func needDynamoDB(t *testing.T) {
	if servers.DynamoDB == nil {
		t.Skip(servers.NotRun())
	}
}

// wire notes the operations that go over it.
type wire struct {
	dynamodb.HTTPClient
	mu  sync.Mutex
	ops []string
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.ops = append(w.ops, op)
	w.mu.Unlock()
	return w.HTTPClient.Do(r)
}

func (w *wire) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ops := w.ops
	w.ops = nil
	return ops
}

func acme(t *testing.T) scope.Scope {
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	return s
}

// Each call of a View is one request, the one that finds a conflict included.
func TestOneRequestACall(t *testing.T) {
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(t.Context())) }()
	o := servers.DynamoDB.Options()
	w := &wire{HTTPClient: o.HTTPClient}
	o.HTTPClient = w
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(acme(t))
	require.NoError(t, err)

	entry := []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"}}
	for i := range 250 {
		_, err := v.Put(t.Context(), table.Item{Sort: fmt.Sprintf("%03d", i), Index: entry}, table.Absent())
		require.NoError(t, err)
		require.Equal(t, []string{"PutItem"}, w.took())
	}
	it, err := v.Get(t.Context(), "000")
	require.NoError(t, err)
	require.Equal(t, []string{"GetItem"}, w.took())

	_, err = v.Put(t.Context(), table.Item{Sort: "000"}, table.Absent())
	conflict := &table.ConflictError{}
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, &it, conflict.Current)
	require.Equal(t, []string{"PutItem"}, w.took())
	require.ErrorAs(t, v.Delete(t.Context(), "000", table.Version(7)), &conflict)
	require.Equal(t, &it, conflict.Current)
	require.Equal(t, []string{"DeleteItem"}, w.took())

	for _, q := range []table.Query{{}, {Consistent: true, Desc: true}, {Slot: table.I1, Class: "c", Limit: 50}} {
		page, err := v.Query(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []string{"Query"}, w.took())
		require.NotEmpty(t, page.Next)
		q.Cursor = page.Next
		_, err = v.Query(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []string{"Query"}, w.took())
		q.Cursor, q.Limit, q.Desc = "", 0, false
		n, _, err := v.Count(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, 250, n)
		require.Equal(t, []string{"Query"}, w.took())
	}
	// 250 rows are two pages and a half; the last one says that it is the last.
	page, err := v.Query(t.Context(), table.Query{From: "150"})
	require.NoError(t, err)
	require.Len(t, page.Items, 100)
	require.Empty(t, page.Next)
}

func TestCreateTable(t *testing.T) {
	needDynamoDB(t)
	ctx, c := t.Context(), servers.DynamoDB
	name, remove, err := servers.NewTable(ctx, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(ctx)) }()
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = dynamo.CreateTable(ctx, c, name, nil) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	ttl, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	require.NoError(t, err)
	require.Equal(t, "ttl", aws.ToString(ttl.TimeToLiveDescription.AttributeName))
	require.ErrorIs(t, dynamo.CreateTable(ctx, c, name, &dynamo.TableOptions{Listed: []string{"a"}}), dynamo.ErrLayout)

	// Another program's rows in the table stay unchanged.
	other := name + "-other"
	_, err = c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &other, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	require.NoError(t, err)
	defer func() {
		_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &other})
		require.NoError(t, err)
	}()
	require.ErrorIs(t, dynamo.CreateTable(ctx, c, other, nil), dynamo.ErrLayout)
}

func TestServerErrors(t *testing.T) {
	needDynamoDB(t)
	missing, err := dynamo.New(servers.DynamoDB, "no-such-table", nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(missing, nil)).In(acme(t))
	require.NoError(t, err)
	_, err = v.Get(t.Context(), "x")
	require.ErrorIs(t, err, dynamo.ErrNoTable)
	require.NotErrorIs(t, err, table.ErrNotFound)
	_, err = v.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, dynamo.ErrNoTable)
	_, err = v.Query(t.Context(), table.Query{})
	require.ErrorIs(t, err, dynamo.ErrNoTable)

	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	// Package table refuses such an item first; a driver alone does not.
	d, err := dynamo.New(servers.DynamoDB, name, nil)
	require.NoError(t, err)
	large, err := must.Get(table.New(padded{d}, nil)).In(acme(t))
	require.NoError(t, err)
	_, err = large.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, table.ErrTooLarge)
}

// padded makes every row larger than DynamoDB takes.
type padded struct{ *dynamo.Driver }

func (p padded) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Attr["padding"] = strings.Repeat("x", 401<<10)
	return p.Driver.Put(ctx, k, r, c)
}

// A transaction of somebody else's is seen, or not there yet: never in part.
func TestForeignTransaction(t *testing.T) {
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(t.Context())) }()
	d, err := dynamo.New(servers.DynamoDB, name, nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(acme(t))
	require.NoError(t, err)
	it, err := v.Put(t.Context(), table.Item{Sort: "x", Attr: map[string]table.Value{"by": "us"}}, table.Absent())
	require.NoError(t, err)
	_, err = servers.DynamoDB.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{
		Put: &types.Put{TableName: &name, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: acme(t).Partition()}, "sk": &types.AttributeValueMemberS{Value: "x"},
			"v": &types.AttributeValueMemberN{Value: "2"}, "by": &types.AttributeValueMemberS{Value: "them"},
		}},
	}}})
	require.NoError(t, err)
	_, err = v.Put(t.Context(), it, table.Version(it.Version))
	conflict := &table.ConflictError{}
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, "them", conflict.Current.Attr["by"])
}
