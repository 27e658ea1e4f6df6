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

// original stores records like the demo of the article. Each change of a stage gets the item, changes it in memory, and
// updates it without a condition. A list scans the table of all tenants with a limit of 100.
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

func stringValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// createRecord puts a record.
func (o *original) createRecord(ctx context.Context, id string) error {
	now := stringValue(time.Now().UTC().Format(time.RFC3339Nano))
	o.writes.Add(1)
	_, err := o.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &o.table, Item: attributes{
		"upload_id": stringValue(id), "tenant_id": stringValue("acme"), "user_id": stringValue("u1"), "filename": stringValue("cover.jpg"),
		"status": stringValue("IN_PROGRESS"), "created_at": now, "updated_at": now,
		"stages": &types.AttributeValueMemberM{Value: attributes{
			"user_upload": &types.AttributeValueMemberM{Value: attributes{"status": stringValue("in_progress"), "start_time": now}},
		}},
	}})
	return err
}

// changeStages gets the item, calls f with its stages, and updates it.
func (o *original) changeStages(ctx context.Context, id, status string, f func(stages attributes)) error {
	o.reads.Add(1)
	got, err := o.c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &o.table, Key: attributes{"upload_id": stringValue(id)}})
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
		TableName: &o.table, Key: attributes{"upload_id": stringValue(id)},
		UpdateExpression:         aws.String("SET stages = :stages, #status = :status, updated_at = :now"),
		ExpressionAttributeNames: map[string]string{"#status": "status"},
		ExpressionAttributeValues: attributes{
			":stages": stages, ":status": stringValue(status), ":now": stringValue(time.Now().UTC().Format(time.RFC3339Nano)),
		},
	})
	return err
}

func (o *original) setStage(ctx context.Context, id, status, stage, state string) error {
	return o.changeStages(ctx, id, status, func(stages attributes) {
		stages[stage] = &types.AttributeValueMemberM{Value: attributes{
			"status": stringValue(state), "start_time": stringValue(time.Now().UTC().Format(time.RFC3339Nano)),
			"source": stringValue("s3://landing/acme/u1/" + id), "destination": stringValue("s3://raw/acme/u1/" + id),
		}}
	})
}

// runLife creates a record, completes the upload, and starts and completes the enrichment.
func (o *original) runLife(ctx context.Context) error {
	id := uuid.NewString()
	if err := o.createRecord(ctx, id); err != nil {
		return err
	}
	for _, s := range [][3]string{
		{"IN_PROGRESS", "user_upload", "success"}, {"IN_PROGRESS", "enrichment", "in_progress"}, {"SUCCESS", "enrichment", "success"},
	} {
		if err := o.setStage(ctx, id, s[0], s[1], s[2]); err != nil {
			return err
		}
	}
	return nil
}

// runLife creates a record, starts the enrichment with the arrival, parks it for a review, resumes and completes it.
func (tr *wireTracker) runLife(ctx context.Context) error {
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

// BenchmarkTracking reports transitions per second and requests per upload, for carrel and for the scheme of the
// original, on the same server. carrel creates, starts with the arrival, parks, resumes and completes a record. The
// original creates it and changes it three times, without a review.
func BenchmarkTracking(b *testing.B) {
	b.Run("carrel", func(b *testing.B) {
		tr := newWireTracker(b, nil)
		runLives(b, 5, tr.runLife)
		was := tr.tap.takeRequests()
		b.ReportMetric(float64(countWrites(was))/float64(b.N), "writes/upload")
		b.ReportMetric(float64(len(was)-countWrites(was))/float64(b.N), "reads/upload")
	})
	b.Run("original", func(b *testing.B) {
		needDynamoDB(b)
		o := newOriginal(b)
		runLives(b, 4, o.runLife)
		b.ReportMetric(float64(o.writes.Load())/float64(b.N), "writes/upload")
		b.ReportMetric(float64(o.reads.Load())/float64(b.N), "reads/upload")
	})
}

// runLives calls runLife b.N times, eight at a time, and reports the transitions per second.
func runLives(b *testing.B, transitions int, runLife func(context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	b.ResetTimer()
	for range 8 {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := runLife(context.Background()); err != nil {
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

// BenchmarkTrackingLostUpdates lets 16 writers change one record at the same time, each 10 times. It counts lost
// updates: changes that were reported as successful and are missing. A change that was rejected because the record
// changed too fast is not lost. It runs once for any b.N.
func BenchmarkTrackingLostUpdates(b *testing.B) {
	const writers, each = 16, 10
	b.Run("carrel", func(b *testing.B) {
		stages := make([]tracking.StageSpec, writers)
		for i := range stages {
			stages[i] = tracking.StageSpec{Stage: tracking.Stage(fmt.Sprint("s", i))}
		}
		tr := newWireTracker(b, nil)
		many, err := tracking.New(tr.table, tracking.Pipeline{Name: "many", Stages: stages}, nil)
		require.NoError(b, err)
		lost, refused := countLostUpdates(b, many, tr.user, stages, each)
		b.ReportMetric(lost, "lost-updates")
		b.ReportMetric(refused, "refused")
		b.ReportMetric(writers*each, "updates")
	})
	b.Run("original", func(b *testing.B) {
		needDynamoDB(b)
		o := newOriginal(b)
		id := uuid.NewString()
		require.NoError(b, o.createRecord(context.Background(), id))
		runWriters(b, writers, func(w int) error {
			for n := range each {
				err := o.changeStages(context.Background(), id, "IN_PROGRESS", func(stages attributes) {
					stages[fmt.Sprintf("s%d-%d", w, n)] = stringValue("success")
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		got, err := o.c.GetItem(context.Background(), &dynamodb.GetItemInput{
			TableName: &o.table, Key: attributes{"upload_id": stringValue(id)}, ConsistentRead: aws.Bool(true),
		})
		require.NoError(b, err)
		lost := float64(writers*each - (len(got.Item["stages"].(*types.AttributeValueMemberM).Value) - 1))
		b.ReportMetric(lost, "lost-updates")
		b.ReportMetric(writers*each, "updates")
	})
}

// countLostUpdates runs one writer for each stage, which claims the stage and sends heartbeats. It returns the number
// of confirmed updates that are lost, and of updates that were rejected because the record changed too fast.
func countLostUpdates(t testing.TB, tr *tracking.Tracker, user scope.Scope, stages []tracking.StageSpec, each int) (lost, refused float64) {
	t.Helper()
	s, err := user.NewSession()
	require.NoError(t, err)
	created, err := tr.Create(context.Background(), s, nil)
	require.NoError(t, err)
	var confirmed, rejected atomic.Int64
	runWriters(t, len(stages), func(w int) error {
		a, err := tr.Claim(context.Background(), s, stages[w].Stage, &tracking.ClaimOptions{Key: strconv.Itoa(w)})
		if err != nil {
			rejected.Add(int64(each))
			return nil //nolint:nilerr // it is counted
		}
		confirmed.Add(1)
		for range each - 1 {
			if a.Heartbeat(context.Background()) != nil {
				rejected.Add(1)
				continue
			}
			confirmed.Add(1)
		}
		return nil
	})
	r, err := tr.Get(context.Background(), s)
	require.NoError(t, err)
	return float64(confirmed.Load() - (r.Version - created.Version)), float64(rejected.Load())
}

// runWriters calls f for n writers at the same time.
func runWriters(t testing.TB, n int, f func(int) error) {
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

// BenchmarkTrackingList reports the read units of a page of a list, with 100 and with 10,000 records of other tenants.
func BenchmarkTrackingList(b *testing.B) {
	needDynamoDB(b)
	if servers.Kind == backend.LocalStack {
		b.Skip("ten thousand writes take minutes")
	}
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("carrel/%d", n), func(b *testing.B) { benchmarkList(b, n) })
		b.Run(fmt.Sprintf("original/%d", n), func(b *testing.B) { benchmarkScan(b, n) })
	}
}

// benchmarkList lists the first page of a tenant.
func benchmarkList(b *testing.B, n int) {
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
	fillTable(b, name, n)
	m.takeUnits()
	found := 0
	for b.Loop() {
		p, err := tr.List(context.Background(), user, tracking.Filter{})
		require.NoError(b, err)
		found = len(p.Records)
	}
	b.ReportMetric(m.takeUnits()/float64(b.N), "units/page")
	b.ReportMetric(float64(found), "own-records/page")
}

// benchmarkScan scans 100 records and counts how many of the 50 records of the tenant are among them.
func benchmarkScan(b *testing.B, n int) {
	o := newOriginal(b)
	l := newLoader(o.table)
	for i := range n + 50 {
		tenant := "other"
		if i < 50 {
			tenant = "acme" // a scan returns them in the order of the hash
		}
		l.addItems(newFinishedItem(uuid.NewString(), tenant))
	}
	require.NoError(b, l.finish())
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

// newFinishedItem returns the item of an upload that has passed both stages of the original.
func newFinishedItem(id, tenant string) attributes {
	now := stringValue(time.Now().UTC().Format(time.RFC3339Nano))
	stages := attributes{}
	for _, name := range []string{"user_upload", "enrichment"} {
		stages[name] = &types.AttributeValueMemberM{Value: attributes{
			"status": stringValue("success"), "start_time": now, "end_time": now, "processing_time": stringValue("1.5"),
			"source": stringValue("s3://landing/acme/u1/" + id), "destination": stringValue("s3://raw/acme/u1/" + id),
		}}
	}
	return attributes{
		"upload_id": stringValue(id), "tenant_id": stringValue(tenant), "user_id": stringValue("u1"), "filename": stringValue("cover.jpg"),
		"status": stringValue("SUCCESS"), "created_at": now, "updated_at": now, "stages": &types.AttributeValueMemberM{Value: stages},
	}
}
