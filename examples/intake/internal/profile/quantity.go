package profile

import "bytes"

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
	v, ok := parseNumber(b)
	v.unit = unit
	if signs == 1 {
		v.negate()
	}
	return v, ok
}

func cutMinus(b []byte, signs int) ([]byte, int) {
	for _, sign := range [2]string{"-", unicodeMinus} {
		if rest, ok := bytes.CutPrefix(b, []byte(sign)); ok {
			return bytes.TrimSpace(rest), signs + 1
		}
	}
	return b, signs
}

func cutUnit(b []byte) (rest []byte, unit string) {
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
