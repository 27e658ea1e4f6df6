package profile

import (
	"bytes"
	"strings"
)

// units are the signs that a number may have before or after it.
func units() [5]string { return [5]string{"$", "€", "£", "¥", "%"} }

const (
	unicodeMinus = "\u2212"
	maxQuantity  = maxNumber + 20 // bytes of a number with its signs
)

// parseQuantity parses a number with a unit, or with a sign that only people write: −5, 5- and (5) are negative.
func parseQuantity(b []byte) (value, bool) {
	if len(b) > maxQuantity || len(b) < 2 {
		return value{}, false
	}
	signs := 0
	switch last := len(b) - 1; {
	case b[0] == '(' && b[last] == ')':
		signs, b = 1, bytes.TrimSpace(b[1:last])
	case b[last] == '-':
		signs, b = 1, bytes.TrimSpace(b[:last])
	}
	b, signs = cutMinus(b, signs)
	b, unit := cutUnit(b)
	if unit != "" {
		b, signs = cutMinus(b, signs)
	}
	if signs > 1 || len(b) == 0 || b[0] != '.' && b[0]-'0' > 9 {
		return value{}, false
	}
	v, ok := parseNumber(ungroup(b))
	v.unit = unit
	if signs == 1 {
		v.negate()
	}
	return v, ok
}

// groupSigns returns the characters that may be between groups of three digits, besides dots and commas: spaces that
// do not break a line, the space, and two apostrophes.
func groupSigns() [5]string { return [5]string{"\u00a0", "\u202f", " ", "'", "\u2019"} }

// ungroup returns a number without the characters between its groups of three digits.
func ungroup(b []byte) []byte {
	whole, fraction := b, []byte(nil)
	if i := bytes.LastIndexAny(b, ".,"); i >= 0 {
		whole, fraction = b[:i], b[i:]
	}
	for _, sign := range groupSigns() {
		if !bytes.Contains(whole, []byte(sign)) {
			continue
		}
		parts := bytes.Split(whole, []byte(sign))
		if len(parts[0]) == 0 || len(parts[0]) > 3 || parts[0][0] == '0' || !isDigits(parts[0]) {
			continue
		}
		for _, part := range parts[1:] {
			if len(part) != 3 || !isDigits(part) {
				return b
			}
		}
		return append(bytes.Join(parts, nil), fraction...)
	}
	return b
}

func cutMinus(b []byte, signs int) ([]byte, int) {
	for _, sign := range [2]string{"-", unicodeMinus} {
		if rest, ok := bytes.CutPrefix(b, []byte(sign)); ok {
			return bytes.TrimSpace(rest), signs + 1
		}
	}
	return b, signs
}

// currencies are the codes that a number may have before or after it.
const currencies = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HUF INR JPY MXN NOK PLN SEK TRY USD"

// startsWithCurrency reports whether a text begins with the code of a currency.
func startsWithCurrency(b []byte) bool {
	return len(b) > 3 && b[0]-'A' < 26 && b[3]-'A' >= 26 && isCurrency(b[:3])
}

func isCurrency(code []byte) bool {
	return bytes.IndexByte(code, ' ') < 0 && strings.Contains(currencies, string(code))
}

func cutUnit(b []byte) (rest []byte, unit string) {
	if startsWithCurrency(b) {
		return bytes.TrimSpace(b[3:]), string(b[:3])
	}
	if n := len(b); n > 3 && b[n-4]-'A' >= 26 && isCurrency(b[n-3:]) {
		return bytes.TrimSpace(b[:n-3]), string(b[n-3:])
	}
	for _, u := range units() {
		rest, ok := bytes.CutPrefix(b, []byte(u))
		if !ok {
			rest, ok = bytes.CutSuffix(b, []byte(u))
		}
		if ok {
			return bytes.TrimSpace(rest), u
		}
	}
	return b, ""
}
