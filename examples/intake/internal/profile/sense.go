package profile

import "bytes"

// Sense is the meaning that the name of a column gives to its values.
type Sense int

// The senses. MayBeCodes is that of a name that may stand for codes or for amounts, such as charge, so that the values
// decide.
const (
	AnyValues Sense = iota
	Codes
	MayBeCodes
	Amounts
	Days
)

// senseOf returns the sense of the name of a column. Names that may stand for codes or amounts are those of codes,
// unless all values are numbers and some have fractions.
func (p *Profiler) senseOf(c *column) Sense {
	if p.Sense == nil {
		return AnyValues
	}
	sense := p.Sense(c.name)
	if sense == MayBeCodes && !c.hasAmounts() {
		return Codes
	}
	return sense
}

// hasAmounts reports whether all values are numbers, some of them have fractions, and no number is written in several
// ways, as in 1.1 and 1.10.
func (c *column) hasAmounts() bool {
	others := c.counts[isText] + c.counts[isDate] + c.counts[isBoolean]
	return others == 0 && c.codes == 0 && c.amounts > 0 && !c.hasSpellings()
}

// hasSpellings reports whether a value is written in several ways.
func (c *column) hasSpellings() bool {
	if c.typed == nil {
		return false
	}
	texts, _ := c.values.values()
	typed, _ := c.typed.values()
	return typed < texts
}

// notePlaces keeps how many decimal places the numbers with a point have, and one that ends with a zero as 1.10 does.
func (c *column) notePlaces(b []byte) {
	b = bytes.TrimSpace(b)
	at := bytes.IndexAny(b, ".,")
	if at <= 0 || at == len(b)-1 {
		return
	}
	whole, fraction := b[:at], b[at+1:]
	if !isDigits(whole) || !isDigits(fraction) {
		return
	}
	if n := len(fraction); c.minPlaces == 0 {
		c.minPlaces, c.maxPlaces = n, n
	} else {
		c.minPlaces, c.maxPlaces = min(c.minPlaces, n), max(c.maxPlaces, n)
	}
	if c.zeroAtEnd == "" && fraction[len(fraction)-1] == '0' && len(bytes.Trim(fraction, "0")) > 0 {
		c.zeroAtEnd = string(b)
	}
}

// maxCode is the length of the longest text with digits that counts as a code.
const maxCode = 20

// isMixedCode reports whether a text may be a code beside numbers: it has digits and no space.
func isMixedCode(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) <= maxCode && bytes.ContainsAny(b, "0123456789") && !bytes.ContainsAny(b, " \t")
}

// isSpelled reports whether the numbers of a column may be codes, so that they are compared and grouped as they are
// written: the name says so, they have different numbers of decimal places and zeros at the end, as 1.10 beside 1.2, or
// they are beside texts such as A-7.
func (c *column) isSpelled(sense Sense) bool {
	isPlain := c.negative == 0 && len(c.units) == 0
	switch sense {
	case Codes, MayBeCodes:
		return true
	case AnyValues:
		return isPlain && (c.zeroAtEnd != "" && c.minPlaces < c.maxPlaces || c.mixed > 0)
	}
	return false
}
