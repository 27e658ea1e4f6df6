package profile

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// unit is a unit that a number may have.
type unit struct {
	label string // as results write it
	key   string // as units are compared, if it is not the label in lower case
	names string // its other spellings, separated by spaces
	// isLast reports that it is after a number only, and isLower that its names are as they are written here: other
	// names are also in capitals or begin with one.
	isLast, isLower bool
}

// currencies are the codes that a number may have before or after it, in capitals.
const currencies = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HUF INR JPY MXN NOK PLN SEK TRY USD"

// allUnits returns the units: currencies, the percent sign, and units of measure. A sign that several currencies have,
// such as $ or kr, is not taken as one of them.
func allUnits() []unit {
	list := []unit{
		{label: "$"}, {label: "€", key: "eur"}, {label: "£", key: "gbp"}, {label: "¥"}, {label: "%"},
		{label: "EUR", names: "euro euros", isLast: true},
		{label: "USD", names: "US$", isLower: true},
		{label: "BRL", names: "R$", isLower: true},
		{label: "CAD", names: "C$ CA$", isLower: true},
		{label: "AUD", names: "A$ AU$", isLower: true},
		{label: "PLN", names: "zł", isLower: true},
		{label: "CZK", names: "Kč", isLower: true},
		{label: "CHF", names: "SFr.", isLower: true},
		{label: "CHF", names: "Fr.", isLower: true, isLast: true},
		{label: "INR", names: "₹", isLower: true},
		{label: "TRY", names: "₺", isLower: true},
		{label: "kr", names: "kr kr."},
	}
	for code := range strings.FieldsSeq(currencies) {
		list = append(list, unit{label: code})
	}
	for _, u := range []unit{
		{label: "mg", names: "mg"},
		{label: "g", names: "g", isLower: true},
		{label: "kg", names: "kg kgs"},
		{label: "t", names: "t", isLower: true},
		{label: "lb", names: "lb lbs"},
		{label: "oz", names: "oz"},
		{label: "mm", names: "mm"},
		{label: "cm", names: "cm"},
		{label: "m", names: "m", isLower: true},
		{label: "km", names: "km"},
		{label: "in", names: "in", isLower: true},
		{label: "ft", names: "ft", isLower: true},
		{label: "m²", names: "m²", isLower: true},
		{label: "m³", names: "m³ cbm CBM", isLower: true},
		{label: "ml", names: "ml"},
		{label: "l", names: "l L ltr liter liters litre litres", isLower: true},
		{label: "pcs", names: "pc pcs pcs. pce piece pieces stk stk. stück"},
		{label: "ea", names: "ea"},
		{label: "hours", names: "hour hours"},
		{label: "days", names: "day days"},
		{label: "weeks", names: "week weeks"},
	} {
		u.isLast = true
		list = append(list, u)
	}
	return list
}

// unitsByName returns the units by each of their spellings.
var unitsByName = sync.OnceValue(func() map[string]*unit {
	m := map[string]*unit{}
	all := allUnits()
	for i := range all {
		u := &all[i]
		names := strings.Fields(u.names)
		if !u.isLower {
			for _, name := range slices.Clone(names) {
				first := strings.ToUpper(name[:1])
				names = append(names, strings.ToUpper(name), first+name[1:])
			}
		}
		if !u.isLast || u.key != "" {
			names = append(names, u.label)
		}
		for _, name := range names {
			if m[name] == nil {
				m[name] = u
			}
		}
	}
	return m
})

// maxUnit is the length of the longest spelling of a unit in bytes.
const maxUnit = 8

// UnitKey returns the form in which units are compared: € is EUR, and Stk is pcs. The case of other units does not
// count.
func UnitKey(name string) string {
	u := unitsByName()[strings.TrimSpace(name)]
	switch {
	case u == nil:
		return string(Key([]byte(name), nil))
	case u.key != "":
		return u.key
	}
	return strings.ToLower(u.label)
}

// IsUnit reports whether a text is a unit of numbers.
func IsUnit(name string) bool { return unitsByName()[name] != nil }

// startsWithUnit reports whether a text begins with a unit that can be before a number, and then has a digit.
func startsWithUnit(b []byte) bool {
	u, _ := cutFirstUnit(b)
	return u != nil
}

// cutFirstUnit cuts the unit before a number, which may be before a minus.
func cutFirstUnit(b []byte) (*unit, []byte) {
	i := bytes.IndexFunc(b[:min(len(b), maxUnit+len(unicodeMinus)+2)], isOfNumber)
	if i <= 0 {
		return nil, b
	}
	u := unitsByName()[string(bytes.TrimSpace(b[:i]))]
	if u == nil && b[i-1] == '.' { // $.50
		i--
		u = unitsByName()[string(bytes.TrimSpace(b[:i]))]
	}
	if u == nil || u.isLast {
		return nil, b
	}
	return u, bytes.TrimSpace(b[i:])
}

// isOfNumber reports whether a number can begin with a character.
func isOfNumber(r rune) bool { return '0' <= r && r <= '9' || r == '-' || r == '\u2212' }

// cutLastUnit cuts the unit after a number. A unit that is one letter must be after a space: 3M is a name.
func cutLastUnit(b []byte) (*unit, []byte) {
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' }
	i := bytes.LastIndexFunc(b, isDigit) + 1
	i += len(b[i:]) - len(cutDash(b[i:]))
	if i == 0 || len(b)-i > maxUnit+len(unicodeMinus) {
		return nil, b
	}
	name := bytes.TrimSpace(b[i:])
	if len(name) == 1 && len(b) == i+1 && name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z' {
		return nil, b
	}
	u := unitsByName()[string(name)]
	if u == nil {
		return nil, b
	}
	return u, b[:i]
}
