package bolt_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// planter puts each row into the same place of an index.
type planter struct {
	table.Driver
	partition string
}

func (p planter) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	r.Index[0] = [2]string{p.partition, "0"}
	return p.Driver.Put(ctx, k, r, c)
}

func TestCountLooksAtABoundedNumberOfRows(t *testing.T) {
	t.Parallel()
	d, v := open(t, t.TempDir())
	partition, err := v.Scope().Index(scope.TenantLevel, "c")
	require.NoError(t, err)
	eve, err := scope.Tenant("globex")
	require.NoError(t, err)
	planted, err := must.Get(table.New(planter{d, partition}, nil)).In(eve)
	require.NoError(t, err)
	plant := func(from, to int) {
		var wg sync.WaitGroup
		for w := range 500 {
			wg.Go(func() {
				for i := from + w; i < to; i += 500 {
					if _, err := planted.Put(t.Context(), table.Item{Sort: fmt.Sprint(i)}, table.Absent()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	_, err = v.Put(t.Context(), table.Item{Sort: "own", Index: []table.Entry{
		{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: "1"},
	}}, table.Absent())
	require.NoError(t, err)

	plant(0, table.MaxExamined-1)
	n, capped, err := v.Count(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.False(t, capped)

	plant(table.MaxExamined-1, table.MaxExamined)
	n, capped, err = v.Count(t.Context(), table.Query{Slot: table.I1, Class: "c"})
	require.NoError(t, err)
	require.Zero(t, n)
	require.True(t, capped)
}
