package integration_test

import (
	"context"
	"fmt"
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

// needDynamoDB skips a test or a benchmark if the backend does not include DynamoDB.
func needDynamoDB(t testing.TB) {
	t.Helper()
	if servers.DynamoDB == nil {
		t.Skip(servers.NotRun())
	}
}

func newAcme(t *testing.T) scope.Scope {
	s, err := scope.Tenant("acme")
	require.NoError(t, err)
	return s
}

// A call that finds a conflict is also one request.
func TestEachViewCallIsOneRequest(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(t.Context())) }()
	o := servers.DynamoDB.Options()
	w := &tap{HTTPClient: o.HTTPClient}
	o.HTTPClient = w
	d, err := dynamo.New(dynamodb.New(o), name, nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(newAcme(t))
	require.NoError(t, err)

	entry := []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "x"}}
	for i := range 250 {
		_, err := v.Put(t.Context(), table.Item{Sort: fmt.Sprintf("%03d", i), Index: entry}, table.Absent())
		require.NoError(t, err)
		require.Equal(t, []string{"conditional write"}, w.takeRequests())
	}
	it, err := v.Get(t.Context(), "000")
	require.NoError(t, err)
	require.Equal(t, []string{"consistent read"}, w.takeRequests())

	_, err = v.Put(t.Context(), table.Item{Sort: "000"}, table.Absent())
	conflict := &table.ConflictError{}
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, &it, conflict.Current)
	require.Equal(t, []string{"conditional write"}, w.takeRequests())
	require.ErrorAs(t, v.Delete(t.Context(), "000", table.Version(7)), &conflict)
	require.Equal(t, &it, conflict.Current)
	require.Equal(t, []string{"DeleteItem"}, w.takeRequests())

	for _, q := range []table.Query{{}, {Consistent: true, Desc: true}, {Slot: table.I1, Class: "c", Limit: 50}} {
		page, err := v.Query(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []string{"Query"}, w.takeRequests())
		require.NotEmpty(t, page.Next)
		q.Cursor = page.Next
		_, err = v.Query(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []string{"Query"}, w.takeRequests())
		q.Cursor, q.Limit, q.Desc = "", 0, false
		n, _, err := v.Count(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, 250, n)
		require.Equal(t, []string{"Query"}, w.takeRequests())
	}
	// The last page does not have a cursor.
	page, err := v.Query(t.Context(), table.Query{From: "150"})
	require.NoError(t, err)
	require.Len(t, page.Items, 100)
	require.Empty(t, page.Next)
}

func TestCreateTableIsIdempotentAndRejectsOtherLayouts(t *testing.T) {
	t.Parallel()
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

	// A table of another program is rejected.
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

func TestServerErrorsAreMapped(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	missing, err := dynamo.New(servers.DynamoDB, "no-such-table", nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(missing, nil)).In(newAcme(t))
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
	// Package table rejects such an item before the driver. The driver must also report it.
	d, err := dynamo.New(servers.DynamoDB, name, nil)
	require.NoError(t, err)
	large, err := must.Get(table.New(paddingDriver{d}, nil)).In(newAcme(t))
	require.NoError(t, err)
	_, err = large.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
	require.ErrorIs(t, err, table.ErrTooLarge)
}

// paddingDriver makes each row larger than DynamoDB accepts.
type paddingDriver struct{ *dynamo.Driver }

func (p paddingDriver) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Attr["padding"] = strings.Repeat("x", 401<<10)
	return p.Driver.Put(ctx, k, r, c)
}

func TestConflictReturnsTheItemOfAForeignTransaction(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(t.Context())) }()
	d, err := dynamo.New(servers.DynamoDB, name, nil)
	require.NoError(t, err)
	v, err := must.Get(table.New(d, nil)).In(newAcme(t))
	require.NoError(t, err)
	it, err := v.Put(t.Context(), table.Item{Sort: "x", Attr: map[string]table.Value{"by": "us"}}, table.Absent())
	require.NoError(t, err)
	_, err = servers.DynamoDB.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{
		Put: &types.Put{TableName: &name, Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: newAcme(t).Partition()}, "sk": &types.AttributeValueMemberS{Value: "x"},
			"v": &types.AttributeValueMemberN{Value: "2"}, "by": &types.AttributeValueMemberS{Value: "them"},
		}},
	}}})
	require.NoError(t, err)
	_, err = v.Put(t.Context(), it, table.Version(it.Version))
	conflict := &table.ConflictError{}
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, "them", conflict.Current.Attr["by"])
}
