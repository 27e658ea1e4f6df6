package table_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// record returns an item of the size and shape of an upload's record.
func record(name string) table.Item {
	stage := map[string]table.Value{"status": "running", "attempt": int64(1), "fence": int64(3), "key": "run-1", "started": "2026-01-02T03:04:05.678Z"}
	return table.Item{
		Sort: name,
		Index: []table.Entry{
			{Slot: table.I1, Level: scope.UserLevel, Class: "active", Sort: name},
			{Slot: table.I2, Level: scope.TenantLevel, Class: "active", Sort: name},
			{Slot: table.I3, Level: scope.None, Class: "due", Shard: 7, Sort: name},
		},
		Attr: map[string]table.Value{"class": "active", "filename": "cover.jpg", "stages": map[string]table.Value{"user_upload": stage, "enrichment": stage}},
	}
}

func benchView(b *testing.B) (*table.Table, *table.View) {
	t := must.Get(table.New(table.NewMemory(nil), nil))
	v, err := t.In(at(b, "acme/u1/1"))
	require.NoError(b, err)
	for i := range 1000 {
		put(b, v, record(fmt.Sprintf("%04d", i)))
	}
	return t, v
}

func BenchmarkViewGet(b *testing.B) {
	_, v := benchView(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Get(b.Context(), "0500"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkViewPut(b *testing.B) {
	_, v := benchView(b)
	it, err := v.Get(b.Context(), "0500")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if it, err = v.Put(b.Context(), it, table.Version(it.Version)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkViewQuery(b *testing.B) {
	t, _ := benchView(b)
	v, err := t.In(at(b, "acme"))
	require.NoError(b, err)
	q := table.Query{Slot: table.I2, Class: "active", Desc: true, Limit: 50}
	b.ReportAllocs()
	for b.Loop() {
		page, err := v.Query(b.Context(), q)
		if err != nil || len(page.Items) != 50 {
			b.Fatal(err, len(page.Items))
		}
	}
}
