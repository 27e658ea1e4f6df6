package table_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

func everyType() map[string]table.Value {
	return map[string]table.Value{
		"null": nil, "text": "a<b", "empty": "", "yes": true, "no": false, "int": int64(5), "zero": int64(0), "float": 5.0,
		"bytes": []byte{0, 255}, "no bytes": []byte{},
		"list": []table.Value{int64(1), 1.0, nil}, "no list": []table.Value{},
		"map": map[string]table.Value{"a": map[string]table.Value{}},
	}
}

func TestAttributesKeepTheirTypesInJSON(t *testing.T) {
	t.Parallel()
	b, err := table.AppendAttr(nil, everyType())
	require.NoError(t, err)
	require.Equal(t, `{"bytes":{"bytes":"AP8="},"empty":{"s":""},"float":{"float":5},"int":{"int":5},`+
		`"list":{"list":[{"int":1},{"float":1},{"null":true}]},"map":{"map":{"a":{"map":{}}}},"no":{"bool":false},`+
		`"no bytes":{"bytes":""},"no list":{"list":[]},"null":{"null":true},"text":{"s":"a\u003cb"},"yes":{"bool":true},"zero":{"int":0}}`,
		string(b), "files on users' disks have this format")
	got, err := table.DecodeAttr(b)
	require.NoError(t, err)
	require.Equal(t, everyType(), got)
}

func TestAttributesAreAppended(t *testing.T) {
	t.Parallel()
	want, err := table.AppendAttr(nil, everyType())
	require.NoError(t, err)
	for _, b := range [][]byte{[]byte("row:"), append(make([]byte, 0, 1<<10), "row:"...)} {
		got, err := table.AppendAttr(b, everyType())
		require.NoError(t, err)
		require.Equal(t, "row:"+string(want), string(got))
	}
}

func TestNilSlicesAndMapsAreDecodedAsEmpty(t *testing.T) {
	t.Parallel()
	b, err := table.AppendAttr(nil, map[string]table.Value{"bytes": []byte(nil), "list": []table.Value(nil), "map": map[string]table.Value(nil)})
	require.NoError(t, err)
	got, err := table.DecodeAttr(b)
	require.NoError(t, err)
	require.Equal(t, map[string]table.Value{"bytes": []byte{}, "list": []table.Value{}, "map": map[string]table.Value{}}, got)
}

func TestTextIsEncodedAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", `{"type":"text_delta","delta":"a \\ b"}` + "\n", "a\tb\x00", "<b>&", "Ü\u2028\x7f", "half \xe4 rune", "\n\n\"",
	} {
		want, err := json.Marshal(map[string]any{text: map[string]string{"s": text}})
		require.NoError(t, err)
		got, err := table.AppendAttr(nil, map[string]table.Value{text: text})
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		back, err := table.DecodeAttr(got)
		require.NoError(t, err)
		valid := strings.ToValidUTF8(text, "\ufffd")
		require.Equal(t, map[string]table.Value{valid: valid}, back)
	}
}

func TestInvalidAttributesAreNotEncoded(t *testing.T) {
	t.Parallel()
	_, err := table.AppendAttr(nil, map[string]table.Value{"m": map[string]table.Value{"n": 5}})
	require.EqualError(t, err, `table: encode: "m": "n": the type int is not a Value`)
	for _, bad := range []string{"", "[]", `{"a":5}`, `{"a":{}}`, `{"a":{"int":1.5}}`, `{"a":{"bytes":"*"}}`, `{"a":{"list":[{}]}}`, `{"a":{"map":{"b":{}}}}`,
		`{"a":{"null":false}}`, `{"a":{"s":"x","int":1}}`, `{"a":{"bool":1}}`, `{"a":{"other":1}}`, `{"a":{"int":1e400}}`, `{"a":{"int":1}} ` + "x"} {
		_, err := table.DecodeAttr([]byte(bad))
		require.ErrorContains(t, err, "table: decode: ", bad)
	}
}

// FuzzDecodeAttr decodes arbitrary JSON. Decoded attributes are encoded and decoded to
// the same attributes.
func FuzzDecodeAttr(f *testing.F) {
	b, err := table.AppendAttr(nil, everyType())
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"a":{"list":[{"int":9223372036854775807},{"float":1e-130}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		attr, err := table.DecodeAttr(b)
		if err != nil {
			return
		}
		again, err := table.AppendAttr(nil, attr)
		require.NoError(t, err)
		got, err := table.DecodeAttr(again)
		require.NoError(t, err)
		require.Equal(t, attr, got)
	})
}
