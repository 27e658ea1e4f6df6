package query

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// total is a measure of one group. Its sum is exact if all numbers are.
type total struct {
	count    int64
	min, max profile.Value
	sum      *big.Int // of the digits, with that many places
	places   int
	scratch  big.Int
	isFloat  bool // a number was not exact: float is the sum
	float    float64

	dates    int64
	from, to float64
}

func (t *total) add(v profile.Value) {
	if t.count == 0 {
		t.min, t.max = v, v
	}
	t.count++
	if profile.Compare(v, t.min) < 0 {
		t.min = v
	}
	if profile.Compare(v, t.max) > 0 {
		t.max = v
	}
	t.float += v.Number
	t.isFloat = t.isFloat || !v.IsExact
	if t.isFloat {
		return
	}
	n := v.Long
	if n == nil {
		n = t.scratch.SetInt64(v.Digits)
	}
	t.addDigits(n, v.Places)
}

// addDigits adds an integer with that many places to the sum.
func (t *total) addDigits(n *big.Int, places int) {
	if t.sum == nil {
		t.sum = new(big.Int)
	}
	if places > t.places {
		t.sum.Mul(t.sum, power10(places-t.places))
		t.places = places
	} else if places < t.places {
		n = new(big.Int).Mul(n, power10(t.places-places))
	}
	t.sum.Add(t.sum, n)
}

// merge adds the numbers and dates of another total.
func (t *total) merge(other *total) {
	switch {
	case other.count == 0:
	case t.count == 0:
		t.min, t.max = other.min, other.max
	default:
		if profile.Compare(other.min, t.min) < 0 {
			t.min = other.min
		}
		if profile.Compare(other.max, t.max) > 0 {
			t.max = other.max
		}
	}
	t.count += other.count
	t.float += other.float
	t.isFloat = t.isFloat || other.isFloat
	if other.sum != nil && !t.isFloat {
		t.addDigits(other.sum, other.places)
	}
	if other.dates > 0 {
		from, to, n := other.from, other.to, t.dates+other.dates
		if t.dates > 0 {
			from, to = min(from, t.from), max(to, t.to)
		}
		t.from, t.to, t.dates = from, to, n
	}
}

// extreme returns the smallest or the largest number.
func (t *total) extreme(f Function) profile.Value {
	if f == Min {
		return t.min
	}
	return t.max
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func (t *total) addDate(n float64) {
	if t.dates == 0 {
		t.from, t.to = n, n
	}
	t.dates++
	t.from, t.to = min(t.from, n), max(t.to, n)
}

// value returns the measure for sorting, or NaN.
func (t *total) value(f Function, isDates bool) float64 {
	switch {
	case isDates && t.dates == 0, !isDates && t.count == 0:
		return math.NaN()
	case isDates && f == Min:
		return t.from
	case isDates:
		return t.to
	case f == Min:
		return t.min.Number
	case f == Max:
		return t.max.Number
	case f == Avg:
		return t.float / float64(t.count)
	}
	return t.float
}

// format returns the measure with the digits of its numbers. An average has two more.
func (t *total) format(f Function, isDates bool) string {
	n := t.value(f, isDates)
	switch {
	case math.IsNaN(n):
		return ""
	case isDates:
		return profile.FormatDate(n)
	case f == Min:
		return formatValue(t.min)
	case f == Max:
		return formatValue(t.max)
	case t.isFloat:
		return formatFloat(n)
	case f == Avg:
		r := new(big.Rat).SetFrac(t.sum, new(big.Int).Mul(big.NewInt(t.count), power10(t.places)))
		return FormatAverage(r, t.places)
	}
	return formatDigits(t.sum, t.places)
}

// FormatAverage writes an average of numbers with that many places: with two more, as far as they are not zero.
func FormatAverage(r *big.Rat, places int) string { return trimZeros(r.FloatString(places+2), places) }

func formatValue(v profile.Value) string {
	if !v.IsExact {
		return formatFloat(v.Number)
	}
	return formatDigits(v.Big(), v.Places)
}

func formatFloat(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return strconv.FormatFloat(n, 'g', 15, 64)
}

// formatDigits writes an integer with that many of its digits after the point. Zeros there are left out if all are.
func formatDigits(n *big.Int, places int) string {
	r := new(big.Rat).SetFrac(n, power10(places))
	return trimZeros(r.FloatString(places), places)
}

// trimZeros removes zeros at the end of a fraction, and all of it if nothing else remains. Otherwise it keeps the first
// places.
func trimZeros(s string, places int) string {
	whole, fraction, ok := strings.Cut(s, ".")
	if !ok || strings.Trim(fraction, "0") == "" {
		return whole
	}
	for len(fraction) > max(places, 2) && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	return whole + "." + fraction
}
