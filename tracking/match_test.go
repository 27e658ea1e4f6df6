package tracking

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// The pages of a list with Match are exactly the records that match, newest first, although most pages are short.
// Each page reads a bounded number of rows.
func TestPagesOfMatchesAreTheExactList(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	var want []string
	for n := range 5000 {
		class := ClassActive
		if n%100 == 7 {
			class = ClassFailed
		}
		s := b.putRecord(t, b.user, n, class)
		if n%450 == 0 || n%500 == 7 { // in both classes
			want = append(want, s.SessionID())
		}
	}
	slices.Reverse(want)
	match := func(s Summary) bool { return slices.Contains(want, s.Scope.SessionID()) }
	for _, limit := range []int{1, 4, 50} {
		var got []string
		f := Filter{Limit: limit, Match: match}
		pages := 0
		for {
			b.driver.takeCalls()
			p, err := b.List(t.Context(), b.user, f)
			require.NoError(t, err)
			require.LessOrEqual(t, len(p.Records), limit)
			require.LessOrEqual(t, b.driver.takeCalls()[2], maxScanPages*len(allClasses))
			for _, r := range p.Records {
				got = append(got, r.Scope.SessionID())
			}
			pages++
			if f.Cursor = p.Next; f.Cursor == "" {
				break
			}
		}
		require.Equal(t, want, got, "limit %d", limit)
		require.Greater(t, pages, 2, "5,000 rows are more than one page reads")
		require.Less(t, pages, len(want)+5)
	}
}

// A class without matches does not hide the newer matches of another one.
func TestMatchesAreListedBesideALargeClassWithoutAny(t *testing.T) {
	t.Parallel()
	b := newBundle(t, nil)
	for n := range 2500 {
		b.putRecord(t, b.user, n, ClassActive)
	}
	s := b.putRecord(t, b.user, 2500, ClassFailed)
	p, err := b.List(t.Context(), b.user, Filter{Match: func(s Summary) bool { return s.Class == ClassFailed }})
	require.NoError(t, err)
	require.Len(t, p.Records, 1)
	require.Equal(t, s, p.Records[0].Scope)
	require.NotEmpty(t, p.Next, "older rows have not been read")
}

// countingRows counts the rows that queries return, and those that they may count.
type countingRows struct {
	table.Driver
	rows, counted int
}

func (c *countingRows) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	p, err := c.Driver.Query(ctx, q)
	c.rows += len(p.Rows)
	if q.CountOnly {
		c.counted += q.Limit
	}
	return p, err
}

// fillTable creates n records on a file: 17 of 20 are active, and the others are in the other classes.
func fillTable(t *testing.T, n int) (*Tracker, *countingRows, scope.Scope) {
	t.Helper()
	d := &countingRows{Driver: openBolt(t)}
	tr, err := New(must.Get(table.New(d, nil)), Uploads(), nil)
	require.NoError(t, err)
	user := userOf(t, "acme", "u1")
	sessions := make([]scope.Scope, n)
	for i := range sessions {
		sessions[i] = sessionOf(t, user, i)
	}
	work := make(chan int)
	var all sync.WaitGroup
	for range 500 { // writers share the commits of the file
		all.Go(func() {
			for i := range work {
				if err := putEnded(tr, sessions[i], i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
	return tr, d, user
}

func putEnded(tr *Tracker, s scope.Scope, i int) error {
	ctx := context.Background()
	if _, err := tr.Create(ctx, s, &CreateOptions{Filename: fmt.Sprintf("cover-%d.jpg", i)}); err != nil || i%20 > 2 {
		return err
	}
	a, err := tr.Claim(ctx, s, Enrichment, &ClaimOptions{Key: "r", Observed: &Observation{Stage: UserUpload}})
	switch {
	case err != nil:
		return err
	case i%20 == 0:
		return a.Park(ctx, 0)
	case i%20 == 1:
		return a.Fail(ctx, throttledError())
	}
	return a.Complete(ctx, object.Ref{})
}

// A page of 10,000 records costs about what a page of 100 costs. Counting and searching read a bounded number of rows.
func TestManyRecordsStayFast(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 records take a while")
	}
	t.Parallel()
	few, fewRows, user := fillTable(t, 100)
	many, d, _ := fillTable(t, 10_000)
	ctx := t.Context()

	// The calls alternate, and the shortest of each are compared: a busy machine delays some of them.
	took := map[*Tracker]time.Duration{few: time.Hour, many: time.Hour}
	for range 300 {
		for _, tr := range []*Tracker{few, many} {
			began := time.Now()
			p, err := tr.List(ctx, user, Filter{Limit: 50})
			took[tr] = min(took[tr], time.Since(began))
			require.NoError(t, err)
			require.Len(t, p.Records, 50)
		}
	}
	ratio := float64(took[many]) / float64(took[few])
	t.Logf("a page of 50: %v of 100 records, %v of 10,000, %.2f times as long; %d and %d rows in 300 pages",
		took[few], took[many], ratio, fewRows.rows, d.rows)
	require.LessOrEqual(t, ratio, 3.0)
	require.LessOrEqual(t, d.rows, 2*fewRows.rows)

	d.rows = 0
	_, err := many.List(ctx, user, Filter{Limit: 50})
	require.NoError(t, err)
	require.LessOrEqual(t, d.rows, 51*len(allClasses))

	d.rows = 0
	c, err := many.Count(ctx, user)
	require.NoError(t, err)
	require.Equal(t, Counts{All: 2500, Active: 1000, Waiting: 500, Failed: 500, Success: 500, Capped: true}, c)
	require.Zero(t, d.rows, "rows are counted by the store")
	require.LessOrEqual(t, d.counted, 1001*len(allClasses))

	// The oldest record is found after a few pages, each of which reads a bounded number of rows.
	f := Filter{Limit: 50, Match: func(s Summary) bool { return strings.HasPrefix(s.Filename, "cover-3.") }}
	for pages := 1; ; pages++ {
		d.rows = 0
		p, err := many.List(ctx, user, f)
		require.NoError(t, err)
		require.LessOrEqual(t, d.rows, (51+2*table.MaxLimit)*len(allClasses))
		if f.Cursor = p.Next; f.Cursor == "" {
			require.Len(t, p.Records, 1)
			require.Equal(t, "cover-3.jpg", p.Records[0].Filename)
			t.Logf("the oldest of 10,000 was found on page %d", pages)
			break
		}
		require.Empty(t, p.Records)
		require.Less(t, pages, 10)
	}
}
