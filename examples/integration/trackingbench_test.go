package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// original keeps records as the article's demo does: each change of a stage gets the item, changes it in memory, and
// updates it without a condition; a list scans the table, all tenants mixed, with a limit of 100.
type original struct {
	c             *dynamodb.Client
	table         string
	reads, writes atomic.Int64
}

func newOriginal(t testing.TB) *original {
	t.Helper()
	o := &original{c: servers.DynamoDB, table: "original-" + uuid.NewString()}
	_, err := o.c.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: &o.table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("upload_id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("upload_id"), KeyType: types.KeyTypeHash}},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := o.c.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &o.table})
		require.NoError(t, err)
	})
	return o
}

type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// create is one put.
func (o *original) create(ctx context.Context, id string) error {
	now := str(time.Now().UTC().Format(time.RFC3339Nano))
	o.writes.Add(1)
	_, err := o.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &o.table, Item: attributes{
		"upload_id": str(id), "tenant_id": str("acme"), "user_id": str("u1"), "filename": str("cover.jpg"),
		"status": str("IN_PROGRESS"), "created_at": now, "updated_at": now,
		"stages": &types.AttributeValueMemberM{Value: attributes{
			"user_upload": &types.AttributeValueMemberM{Value: attributes{"status": str("in_progress"), "start_time": now}},
		}},
	}})
	return err
}

// change gets the item, lets f change its stages, and updates it.
func (o *original) change(ctx context.Context, id, status string, f func(stages attributes)) error {
	o.reads.Add(1)
	got, err := o.c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &o.table, Key: attributes{"upload_id": str(id)}})
	if err != nil {
		return err
	}
	stages, ok := got.Item["stages"].(*types.AttributeValueMemberM)
	if !ok {
		return fmt.Errorf("no item %s", id)
	}
	f(stages.Value)
	o.writes.Add(1)
	_, err = o.c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &o.table, Key: attributes{"upload_id": str(id)},
		UpdateExpression:         aws.String("SET stages = :stages, #status = :status, updated_at = :now"),
		ExpressionAttributeNames: map[string]string{"#status": "status"},
		ExpressionAttributeValues: attributes{
			":stages": stages, ":status": str(status), ":now": str(time.Now().UTC().Format(time.RFC3339Nano)),
		},
	})
	return err
}

func (o *original) stage(ctx context.Context, id, status, stage, state string) error {
	return o.change(ctx, id, status, func(stages attributes) {
		stages[stage] = &types.AttributeValueMemberM{Value: attributes{
			"status": str(state), "start_time": str(time.Now().UTC().Format(time.RFC3339Nano)),
			"source": str("s3://landing/acme/u1/" + id), "destination": str("s3://raw/acme/u1/" + id),
		}}
	})
}

// life is an upload's: created; complete when it has arrived; enrichment started and completed.
func (o *original) life(ctx context.Context) error {
	id := uuid.NewString()
	if err := o.create(ctx, id); err != nil {
		return err
	}
	for _, s := range [][3]string{
		{"IN_PROGRESS", "user_upload", "success"}, {"IN_PROGRESS", "enrichment", "in_progress"}, {"SUCCESS", "enrichment", "success"},
	} {
		if err := o.stage(ctx, id, s[0], s[1], s[2]); err != nil {
			return err
		}
	}
	return nil
}

// life is the same upload's, with a review in between: created, arrived and started at once, parked, resumed,
// completed.
func (tr *tracked) life(ctx context.Context) error {
	s, err := tr.user.NewSession()
	if err != nil {
		return err
	}
	if _, err := tr.Create(ctx, s, &tracking.CreateOptions{Filename: "cover.jpg"}); err != nil {
		return err
	}
	a, err := tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{
		Key: "run", Observed: &tracking.Observation{Stage: tracking.UserUpload},
	})
	if err != nil {
		return err
	}
	if err := a.Park(ctx, 0); err != nil {
		return err
	}
	if a, err = tr.Claim(ctx, s, tracking.Enrichment, &tracking.ClaimOptions{Key: "accept"}); err != nil {
		return err
	}
	return a.Complete(ctx, object.Ref{})
}

// BenchmarkTracking is transitions per second, and requests an upload, beside the original's scheme on the same
// server in the same run. The transitions are those of an upload's life: ours are create, start with the arrival,
// park, resume and complete; the original's create and three changes, without a review.
func BenchmarkTracking(b *testing.B) {
	b.Run("carrel", func(b *testing.B) {
		tr := newTracked(b, nil)
		lives(b, 5, tr.life)
		was := tr.tap.took()
		b.ReportMetric(float64(writes(was))/float64(b.N), "writes/upload")
		b.ReportMetric(float64(len(was)-writes(was))/float64(b.N), "reads/upload")
	})
	b.Run("original", func(b *testing.B) {
		needDynamoDBFor(b)
		o := newOriginal(b)
		lives(b, 4, o.life)
		b.ReportMetric(float64(o.writes.Load())/float64(b.N), "writes/upload")
		b.ReportMetric(float64(o.reads.Load())/float64(b.N), "reads/upload")
	})
}

func needDynamoDBFor(t testing.TB) {
	if servers.DynamoDB == nil {
		t.Skip(servers.NotRun())
	}
}

// lives runs lives of that many transitions each, eight at a time.
func lives(b *testing.B, transitions int, life func(context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	b.ResetTimer()
	for range 8 {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := life(context.Background()); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	close(errs)
	require.NoError(b, <-errs)
	b.ReportMetric(float64(b.N*transitions)/b.Elapsed().Seconds(), "transitions/s")
}

// BenchmarkTrackingLostUpdates lets 16 writers change one record at the same time, each 10 times. It counts the lost
// updates: changes that were reported as successful and are missing. It is one contest for any b.N. A change that was
// rejected, because the record changed too fast, is not lost.
func BenchmarkTrackingLostUpdates(b *testing.B) {
	const writers, each = 16, 10
	b.Run("carrel", func(b *testing.B) {
		stages := make([]tracking.StageSpec, writers)
		for i := range stages {
			stages[i] = tracking.StageSpec{Stage: tracking.Stage(fmt.Sprint("s", i))}
		}
		tr := newTracked(b, nil)
		many, err := tracking.New(tr.table, tracking.Pipeline{Name: "many", Stages: stages}, nil)
		require.NoError(b, err)
		lost, refused := contend(b, many, tr.user, stages, each)
		b.ReportMetric(lost, "lost-updates")
		b.ReportMetric(refused, "refused")
		b.ReportMetric(writers*each, "updates")
	})
	b.Run("original", func(b *testing.B) {
		needDynamoDBFor(b)
		o := newOriginal(b)
		id := uuid.NewString()
		require.NoError(b, o.create(context.Background(), id))
		at(b, writers, func(w int) error {
			for n := range each {
				err := o.change(context.Background(), id, "IN_PROGRESS", func(stages attributes) {
					stages[fmt.Sprintf("s%d-%d", w, n)] = str("success")
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		got, err := o.c.GetItem(context.Background(), &dynamodb.GetItemInput{
			TableName: &o.table, Key: attributes{"upload_id": str(id)}, ConsistentRead: aws.Bool(true),
		})
		require.NoError(b, err)
		lost := float64(writers*each - (len(got.Item["stages"].(*types.AttributeValueMemberM).Value) - 1))
		b.ReportMetric(lost, "lost-updates")
		b.ReportMetric(writers*each, "updates")
	})
}

// contend lets a writer a stage start and heartbeat, and returns how many of the confirmed updates are lost, and how
// many were refused because the record changed too fast.
func contend(t testing.TB, tr *tracking.Tracker, user scope.Scope, stages []tracking.StageSpec, each int) (lost, refused float64) {
	t.Helper()
	s, err := user.NewSession()
	require.NoError(t, err)
	_, err = tr.Create(context.Background(), s, nil)
	require.NoError(t, err)
	var told, no atomic.Int64
	at(t, len(stages), func(w int) error {
		a, err := tr.Claim(context.Background(), s, stages[w].Stage, &tracking.ClaimOptions{Key: strconv.Itoa(w)})
		if err != nil {
			no.Add(int64(each))
			return nil //nolint:nilerr // refused, and counted
		}
		told.Add(1)
		for range each - 1 {
			if a.Heartbeat(context.Background()) != nil {
				no.Add(1)
				continue
			}
			told.Add(1)
		}
		return nil
	})
	r, err := tr.Get(context.Background(), s)
	require.NoError(t, err)
	return float64(told.Load() - (r.Version - 1)), float64(no.Load())
}

// at runs f for each of n writers at once.
func at(t testing.TB, n int, f func(int) error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// BenchmarkTrackingList is the read units of a page of a list, with 100 and with 10,000 records of others.
func BenchmarkTrackingList(b *testing.B) {
	needDynamoDBFor(b)
	if servers.Kind == backend.LocalStack {
		b.Skip("ten thousand writes take minutes")
	}
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("carrel/%d", n), func(b *testing.B) { ourList(b, n) })
		b.Run(fmt.Sprintf("original/%d", n), func(b *testing.B) { theirList(b, n) })
	}
}

func ourList(b *testing.B, n int) {
	name, remove, err := servers.NewTable(context.Background(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(b, err)
	defer func() { require.NoError(b, remove(context.Background())) }()
	m := &meter{Client: servers.DynamoDB}
	d, err := dynamo.New(m, name, nil)
	require.NoError(b, err)
	tr, err := tracking.New(must.Get(table.New(d, nil)), tracking.Uploads(), nil)
	require.NoError(b, err)
	user := userOf(b, "acme", "u1")
	for range 50 {
		s, err := user.NewSession()
		require.NoError(b, err)
		_, err = tr.Create(context.Background(), s, &tracking.CreateOptions{Filename: "cover.jpg"})
		require.NoError(b, err)
	}
	fill(b, name, n)
	m.took()
	found := 0
	for b.Loop() {
		p, err := tr.List(context.Background(), user, tracking.Filter{})
		require.NoError(b, err)
		found = len(p.Records)
	}
	b.ReportMetric(m.took()/float64(b.N), "units/page")
	b.ReportMetric(float64(found), "own-records/page")
}

// theirList is the scan of 100, and what of the 50 of one's own is among them.
func theirList(b *testing.B, n int) {
	o := newOriginal(b)
	l := newLoader(o.table)
	for i := range n + 50 {
		tenant := "other"
		if i < 50 {
			tenant = "acme" // where a scan finds them is the hash's to say
		}
		l.add(finished(uuid.NewString(), tenant))
	}
	require.NoError(b, l.wait())
	units, own := 0.0, 0
	for b.Loop() {
		out, err := o.c.Scan(context.Background(), &dynamodb.ScanInput{
			TableName: &o.table, Limit: aws.Int32(100), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		require.NoError(b, err)
		units, own = units+*out.ConsumedCapacity.CapacityUnits, 0
		for _, it := range out.Items {
			if v, ok := it["tenant_id"].(*types.AttributeValueMemberS); ok && v.Value == "acme" {
				own++
			}
		}
	}
	b.ReportMetric(units/float64(b.N), "units/page")
	b.ReportMetric(float64(own), "own-records/page")
}

// finished is the item of an upload that has gone through the original's two stages.
func finished(id, tenant string) attributes {
	now := str(time.Now().UTC().Format(time.RFC3339Nano))
	stages := attributes{}
	for _, name := range []string{"user_upload", "enrichment"} {
		stages[name] = &types.AttributeValueMemberM{Value: attributes{
			"status": str("success"), "start_time": now, "end_time": now, "processing_time": str("1.5"),
			"source": str("s3://landing/acme/u1/" + id), "destination": str("s3://raw/acme/u1/" + id),
		}}
	}
	return attributes{
		"upload_id": str(id), "tenant_id": str(tenant), "user_id": str("u1"), "filename": str("cover.jpg"),
		"status": str("SUCCESS"), "created_at": now, "updated_at": now, "stages": &types.AttributeValueMemberM{Value: stages},
	}
}
