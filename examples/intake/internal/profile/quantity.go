package profile

import "bytes"

const (
	unicodeMinus = "\u2212"
	maxQuantity  = maxNumber + 20 // bytes of a number with its signs
)

// parseQuantity parses a number with a unit, or with a sign that only people write: −5, 5- and (5) are negative.
func parseQuantity(b []byte) (value, bool) {
	if len(b) > maxQuantity || len(b) < 2 {
		return value{}, false
	}
	b = fillCents(b)
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
		b = fillCents(b)
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

// cutUnit cuts the unit before or after a number.
func cutUnit(b []byte) (rest []byte, name string) {
	u, rest := cutFirstUnit(b)
	if u == nil {
		u, rest = cutLastUnit(b)
	}
	if u == nil {
		return b, ""
	}
	return rest, u.label
}

// dashes returns the texts that stand for no cents, as in 1.234,- and 5.--.
func dashes() [6]string { return [6]string{",--", ".--", ",-", ".-", ",\u2013", ".\u2013"} }

// cutDash cuts a dash for no cents at the beginning.
func cutDash(b []byte) []byte {
	for _, dash := range dashes() {
		if rest, ok := bytes.CutPrefix(b, []byte(dash)); ok {
			return rest
		}
	}
	return b
}

// fillCents writes the dash for no cents as zeros.
func fillCents(b []byte) []byte {
	for _, dash := range dashes() {
		if whole, ok := bytes.CutSuffix(b, []byte(dash)); ok && len(whole) > 0 && whole[len(whole)-1]-'0' <= 9 {
			return append(bytes.Clone(whole), dash[0], '0', '0')
		}
	}
	return b
}
