package integration_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// meter adds up the consumed capacity of all queries.
type meter struct {
	*dynamodb.Client
	mu    sync.Mutex
	units float64
	known bool
}

func (m *meter) addUnits(c *types.ConsumedCapacity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c != nil && c.CapacityUnits != nil {
		m.units, m.known = m.units+*c.CapacityUnits, true
	}
}

func (m *meter) takeUnits() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units
	m.units = 0
	return u
}

func (m *meter) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.Query(ctx, in, o...)
	if err == nil {
		m.addUnits(out.ConsumedCapacity)
	}
	return out, err
}

// sink records the items that are put instead of storing them.
type sink struct {
	*dynamodb.Client
	items []map[string]types.AttributeValue
}

func (s *sink) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	s.items = append(s.items, in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

// loader stores items in batches, eight at a time.
type loader struct {
	table string
	group *errgroup.Group
	items []types.WriteRequest
}

func newLoader(name string) *loader {
	l := &loader{table: name, group: &errgroup.Group{}}
	l.group.SetLimit(8)
	return l
}

func (l *loader) addItems(items ...map[string]types.AttributeValue) {
	for _, it := range items {
		if l.items = append(l.items, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}); len(l.items) == 25 {
			l.flushItems()
		}
	}
}

func (l *loader) flushItems() {
	pending := map[string][]types.WriteRequest{l.table: l.items}
	l.items = nil
	l.group.Go(func() error {
		for len(pending) > 0 {
			out, err := servers.DynamoDB.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: pending})
			if err != nil {
				return err
			}
			pending = out.UnprocessedItems
		}
		return nil
	})
}

// finish stores the rest and waits for all batches.
func (l *loader) finish() error {
	if len(l.items) > 0 {
		l.flushItems()
	}
	return l.group.Wait()
}

// fillTable stores n records of other tenants with the encoding of a tracker.
func fillTable(t testing.TB, name string, n int) {
	t.Helper()
	began := time.Now()
	s := &sink{}
	d, err := dynamo.New(s, name, nil)
	require.NoError(t, err)
	tr, err := tracking.New(must.Get(table.New(d, nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	l := newLoader(name)
	for i := range n {
		session, err := userOf(t, fmt.Sprint("other-", i%1000), "u1").NewSession()
		require.NoError(t, err)
		_, err = tr.Create(t.Context(), session, &tracking.CreateOptions{Filename: "cover.jpg"})
		require.NoError(t, err)
		l.addItems(s.items...)
		s.items = nil
	}
	require.NoError(t, l.finish())
	t.Logf("%d records of others in %v", n, time.Since(began).Round(time.Millisecond))
}

// A page of 50 takes the same read units with 100 and with 2,000 records of other tenants in the table. If CARREL_SOAK
// is 1, there are 100,000.
func TestPageCostDoesNotDependOnOtherTenants(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	name, remove, err := servers.NewTable(t.Context(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	m := &meter{Client: servers.DynamoDB}
	d, err := dynamo.New(m, name, nil)
	require.NoError(t, err)
	tr, err := tracking.New(must.Get(table.New(d, nil)), tracking.Uploads(), nil)
	require.NoError(t, err)
	user := userOf(t, "acme", "u1")
	for range 120 {
		s, err := user.NewSession()
		require.NoError(t, err)
		_, err = tr.Create(t.Context(), s, &tracking.CreateOptions{Filename: "cover.jpg"})
		require.NoError(t, err)
	}
	page := func(f tracking.Filter) (string, float64) {
		t.Helper()
		m.takeUnits()
		var p tracking.Page
		require.Eventually(t, func() bool {
			m.takeUnits()
			p, err = tr.List(t.Context(), user, f)
			return err == nil && len(p.Records) == 50
		}, time.Minute, 50*time.Millisecond)
		return p.Next, m.takeUnits()
	}
	cost := func() [3]float64 {
		var c [3]float64
		var next string
		next, c[0] = page(tracking.Filter{Class: tracking.ClassActive})
		_, c[1] = page(tracking.Filter{Class: tracking.ClassActive, Cursor: next})
		_, c[2] = page(tracking.Filter{})
		return c
	}
	fillTable(t, name, 100)
	few := cost()
	if !m.known {
		t.Skip("the server does not report consumed capacity")
	}
	others := 2000
	if os.Getenv("CARREL_SOAK") == "1" {
		others = 100_000
	}
	fillTable(t, name, others-100)
	many := cost()
	t.Logf("a page of 50: read units with 100 records of others %v, with %d %v (first page, second, all classes)", few, others, many)
	require.Equal(t, few, many)
	require.Positive(t, few[0])
	require.LessOrEqual(t, few[0], 2.0)

	// For comparison, the cost of a scan.
	out, err := servers.DynamoDB.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: &name, Limit: aws.Int32(100), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	require.NoError(t, err)
	t.Logf("a scan of 100: %v", *out.ConsumedCapacity.CapacityUnits)
}
