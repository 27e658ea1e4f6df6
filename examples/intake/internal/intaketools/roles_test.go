package intaketools

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// A file that is not measured has codes by the names of its columns.
func TestColumnsThatAreNotMeasuredHaveCodesByTheirNames(t *testing.T) {
	t.Parallel()
	measured := &profile.Column{Name: "lot", Type: profile.Integer, Whole: true}
	o := query.Options{
		Where:    []query.Condition{{Column: "sku", Operator: query.Equal, Value: "300"}},
		Measures: []query.Measure{{Function: query.Sum, Column: "qty"}},
		Profiles: map[string]*profile.Column{"lot": measured},
	}
	addCodes(o.Profiles, []string{"sku", "qty", "lot"})
	require.Same(t, measured, o.Profiles["lot"])
	require.Nil(t, o.Profiles["qty"])
	q, err := query.New(&o)
	require.NoError(t, err)
	for sku, qty := range map[string]string{"3e2": "1", "300": "2", "300.0": "4"} {
		q.Add(func(name string) []byte { return []byte(map[string]string{"sku": sku, "qty": qty}[name]) })
	}
	got := q.Result()
	require.Equal(t, []query.Line{{"2"}}, got.Lines)
	require.Len(t, got.Notes, 1, "of the other codes that are the same number")
}
