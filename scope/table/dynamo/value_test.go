package dynamo

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table"
)

// FuzzNumbers checks that numbers keep their value and type.
func FuzzNumbers(f *testing.F) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1} {
		f.Add(n, float64(n))
	}
	for _, x := range []float64{0.1, 1.0 / 3, 1e125, -1e-130, 9.999999999999999e125, 1e21, 123456.5, math.SmallestNonzeroFloat64} {
		f.Add(int64(0), x)
	}
	f.Fuzz(func(t *testing.T, n int64, x float64) {
		values := []table.Value{n}
		if abs := math.Abs(x); abs >= 1e-130 && abs < 1e126 {
			values = append(values, x)
		}
		for _, v := range values {
			a, err := encode(v)
			require.NoError(t, err)
			got, err := decode(a)
			require.NoError(t, err)
			require.Equal(t, v, got)
		}
	})
}

// FuzzForeignNumber decodes arbitrary numbers. A number is rejected, or it can be encoded
// and decoded without a change.
func FuzzForeignNumber(f *testing.F) {
	for _, s := range []string{"5", "5.0", "1E2", "0.1", "0.10000000000000000555", "1e125", "1e-130", "1e999999999", "0e999999999", "1e-400", "9223372036854775808", "NaN", "Inf", "0x10", "1_0", "", "-0", "1/3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range []types.AttributeValue{&types.AttributeValueMemberN{Value: s}, &types.AttributeValueMemberNS{Value: []string{s}}} {
			v, err := decode(a)
			if err != nil {
				continue
			}
			back, err := encode(v)
			require.NoError(t, err)
			require.IsType(t, a, back)
			again, err := decode(back)
			require.NoError(t, err)
			require.Equal(t, v, again)
		}
	})
}

func TestForeignValues(t *testing.T) {
	t.Parallel()
	number := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	set := func(s ...string) types.AttributeValue { return &types.AttributeValueMemberNS{Value: s} }
	for name, c := range map[string]struct {
		a    types.AttributeValue
		want table.Value // nil means rejected
	}{
		"exponent":               {number("1E+2"), int64(100)},
		"trailing zeros":         {number("5.00"), int64(5)},
		"exact half":             {number("0.50"), 0.5},
		"more than a float64":    {number("0.12345678901234567890123456789"), nil},
		"more than an int64":     {number("9223372036854775808"), nil},
		"integral set":           {set("1E+20"), 1e20},
		"set of a fraction":      {set("0.5"), nil},
		"set of many digits":     {set("9007199254740993"), nil},
		"two numbers":            {set("1", "2"), nil},
		"no number":              {set(), nil},
		"strings":                {&types.AttributeValueMemberSS{Value: []string{"a"}}, nil},
		"binaries":               {&types.AttributeValueMemberBS{Value: [][]byte{{1}}}, nil},
		"a set deep inside":      {&types.AttributeValueMemberL{Value: []types.AttributeValue{set("1", "2")}}, nil},
		"a huge exponent":        {number("1e999999999"), nil},
		"a huge exponent of 0":   {number("0e999999999"), nil},
		"a tiny number":          {number("1e-400"), nil},
		"an endless number":      {number(strings.Repeat("1", 1<<20)), nil},
		"infinity, as Go has it": {number("Inf"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode(c.a)
			if c.want == nil {
				require.Error(t, err)
				require.Less(t, len(err.Error()), 300)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestForeignRows(t *testing.T) {
	t.Parallel()
	good := func() item { return item{"pk": encodeText("t#acme"), "sk": encodeText("x"), "v": encodeInt(1)} }
	for name, change := range map[string]func(item){
		"no version":             func(it item) { delete(it, "v") },
		"version 0":              func(it item) { it["v"] = encodeInt(0) },
		"version as a string":    func(it item) { it["v"] = encodeText("1") },
		"version with a set":     func(it item) { it["v"] = &types.AttributeValueMemberNS{Value: []string{"1"}} },
		"expiry as a string":     func(it item) { it["ttl"] = encodeText("1") },
		"expiry with a fraction": func(it item) { it["ttl"] = &types.AttributeValueMemberN{Value: "1.5"} },
		"a later version's mark": func(it item) { it["_x"] = encodeText("1") },
	} {
		it := good()
		change(it)
		_, err := decodeRow(it)
		require.ErrorIs(t, err, ErrRow, name)
	}
	it := good()
	it["i1p"] = encodeText("t#acme#i#c") // without i1s the item is not in the index
	r, err := decodeRow(it)
	require.NoError(t, err)
	require.Zero(t, r.Index)
}

// FuzzKeyBefore checks that no key lies between keyBefore(to) and to.
func FuzzKeyBefore(f *testing.F) {
	for _, s := range []string{"a", "a#", "\ue000", "\u0080", "\u0800", "\U00010000", "\u07ff", " ", strings.Repeat("x", table.MaxSort), strings.Repeat("é", 512), strings.Repeat("x", 1021) + "é"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, to, other string) {
		if to == "" || len(to) > table.MaxSort || !utf8.ValidString(to) || len(other) > table.MaxSort || !utf8.ValidString(other) {
			return
		}
		b := keyBefore(to)
		require.Less(t, b, to)
		require.LessOrEqual(t, len(b), table.MaxSort)
		require.True(t, utf8.ValidString(b))
		// Random strings are never near to.
		r := []rune(to)
		near := []string{other, to[:len(to)-utf8.RuneLen(r[len(r)-1])]}
		if last := r[len(r)-1]; last > 0 {
			near = append(near, string(append(slices.Clone(r[:len(r)-1]), last-1, utf8.MaxRune)), string(append(slices.Clone(r[:len(r)-1]), last-1))+other)
		}
		for _, s := range near {
			if len(s) <= table.MaxSort && utf8.ValidString(s) && s < to {
				require.LessOrEqual(t, s, b)
			}
		}
	})
}
