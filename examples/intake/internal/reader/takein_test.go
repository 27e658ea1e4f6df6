package reader

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASampleOfOneLineShowsTheRecordsThatAreMeasured(t *testing.T) {
	t.Parallel()
	s := sampled{By: "lines", Items: []item{{Text: `{"po":1,"lines":[{"sku":"a","quantity":1},{"sku":"b"}]}`}}}
	s.splitRecords()
	require.Len(t, s.Items, 2)
	columns := columnsOfSample(&s)
	require.Equal(t, "sku", columns[0].Name)
	require.Equal(t, "quantity", columns[1].Name)
	s = sampled{By: "rows", Items: []item{{Text: `{"po":1,"lines":[{"sku":"a"}]}`}}}
	s.splitRecords()
	require.Equal(t, "po", columnsOfSample(&s)[0].Name)
}
