package bolt

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

// Files on users' disks contain rows of this format.
func TestRowFormatIsStable(t *testing.T) {
	t.Parallel()
	r := table.Row{
		Partition: "t#acme", Sort: "x", Version: 3, Expires: time.Unix(1<<32, 0).UTC(),
		Index: [3][2]string{{"t#acme#i#c", `a,"attr":{`}}, Attr: map[string]table.Value{"n": int64(5), "f": 5.0, `,"attr":`: "}"},
	}
	b, err := encodeRow(r)
	require.NoError(t, err)
	require.Equal(t, "\x00\x00\x00\x01\x00\x00\x00\x00"+
		`{"version":3,"index":[["t#acme#i#c","a,\"attr\":{"],["",""],["",""]],`+
		`"attr":{",\"attr\":":{"s":"}"},"f":{"float":5},"n":{"int":5}}}`, string(b))
	got, err := decodeRow(r.Partition, r.Sort, b)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func TestHeadersAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, h := range []header{
		{}, {Version: 1}, {Version: 1<<63 - 1}, {Version: -1}, {Version: 2, Index: [3][2]string{{"a", "<"}}},
		{Version: 3, Index: [3][2]string{{}, {}, {"", "x"}}},
	} {
		want, err := json.Marshal(h)
		require.NoError(t, err)
		b, err := appendHeader(nil, h)
		require.NoError(t, err)
		require.Equal(t, string(want), string(b)+"}")
		got, err := decodeHeader(b)
		require.NoError(t, err)
		require.Equal(t, h, got)
	}
}

func TestDamagedRowsAreErrors(t *testing.T) {
	t.Parallel()
	never := string(encodeExpiry(time.Time{}))
	for _, bad := range []string{
		"", "short", never, never + "{}", never + `{"version":1,"index":[]}`, never + `{"version":1,"attr":{}`,
		never + `{"version":"1","attr":{}}`, never + `{"version":1,"attr":{"a":5}}`, never + `{"version":1,"attr":{}}}`,
		never + headerStart + "+1" + noIndex + `,"attr":{}}`, never + headerStart + noIndex + `,"attr":{}}`,
	} {
		_, err := decodeRow("t#acme", "x", []byte(bad))
		require.ErrorContains(t, err, "bolt: ", "%q", bad)
	}
}
