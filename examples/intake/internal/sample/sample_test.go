package sample_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

func write(t *testing.T, o sample.Options) (string, sample.Counts) {
	t.Helper()
	var b bytes.Buffer
	counts, err := sample.Write(&b, &o)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), counts.Bytes)
	return b.String(), counts
}

func TestEqualOptionsWriteEqualFiles(t *testing.T) {
	t.Parallel()
	o := sample.Options{Kind: kinds.Shipments, Rows: 500, Seed: 3}
	a, counts := write(t, o)
	b, _ := write(t, o)
	require.Equal(t, a, b)
	require.Positive(t, counts.Duplicates+counts.Missing["carrier"]+counts.Wrong["quantity"]+counts.Negative["quantity"]+counts.OtherDates["ship_date"])
	o.Seed = 4
	c, _ := write(t, o)
	require.NotEqual(t, a, c)
}

func TestEveryFormatIsValid(t *testing.T) {
	t.Parallel()
	for _, kind := range sample.Kinds() {
		o := sample.Options{Kind: kind, Rows: 300, Seed: 1}
		for format, comma := range map[sample.Format]rune{sample.CSV: ',', sample.TSV: '\t'} {
			o.Format = format
			text, counts := write(t, o)
			r := csv.NewReader(strings.NewReader(text))
			r.Comma = comma
			rows, err := r.ReadAll()
			require.NoError(t, err)
			require.Len(t, rows, 301)
			require.Equal(t, counts.Columns, rows[0])
		}
		o.Format = sample.JSONLines
		text, _ := write(t, o)
		n := 0
		for line := range strings.Lines(text) {
			require.True(t, json.Valid([]byte(line)), line)
			n++
		}
		require.Equal(t, 300, n)
		o.Format = sample.JSON
		text, _ = write(t, o)
		var list []map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &list))
		require.Len(t, list, 300)
	}
}

func TestAFileEndsWithTheRowThatReachesItsSize(t *testing.T) {
	t.Parallel()
	text, counts := write(t, sample.Options{Kind: kinds.Inventory, Size: 100_000})
	require.GreaterOrEqual(t, len(text), 100_000)
	require.Less(t, len(text), 100_200)
	require.EqualValues(t, strings.Count(text, "\n")-1, counts.Rows)
	_, clean := write(t, sample.Options{Kind: kinds.Inventory, Rows: 1000, Every: -1})
	require.Zero(t, clean.Duplicates)
	require.Empty(t, clean.Missing)
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []sample.Options{
		{}, {Kind: "potatoes", Rows: 1}, {Kind: kinds.Shipments}, {Kind: kinds.Shipments, Rows: 1, Size: 1},
		{Kind: kinds.Shipments, Rows: -1}, {Kind: kinds.Shipments, Rows: 1, Format: "xlsx"},
	} {
		_, err := sample.Write(io.Discard, &o)
		require.ErrorIs(t, err, sample.ErrOptions)
	}
}

type fullDisk struct{}

var errFull = errors.New("full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestAnErrorOfTheWriterIsReturned(t *testing.T) {
	t.Parallel()
	_, err := sample.Write(fullDisk{}, &sample.Options{Kind: kinds.Shipments, Size: 1 << 40})
	require.ErrorIs(t, err, errFull)
}

func BenchmarkWrite(b *testing.B) {
	b.SetBytes(4 << 20)
	for b.Loop() {
		_, err := sample.Write(io.Discard, &sample.Options{Kind: kinds.Shipments, Size: 4 << 20})
		require.NoError(b, err)
	}
}
