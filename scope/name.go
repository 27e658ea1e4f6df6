package scope

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxName = 255
	uploads = "uploads" // reserved among a user's own names: sessions lie below it
)

// checkName returns why name can't be the last segment of a key, or "".
func checkName(name string) string {
	if name == "" {
		return "is empty"
	}
	if len(name) > maxName {
		return "is longer than 255 bytes"
	}
	ascii := true
	for i := range len(name) {
		switch c := name[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case in(c, badLow, badHigh):
			return whyBad(c)
		}
	}
	switch first, last := name[0], name[len(name)-1]; {
	case first == '.' || last == '.':
		return "starts or ends with a dot"
	case first == ' ' || last == ' ':
		return "starts or ends with a space"
	}
	if reservedDevice(name) {
		return "is a reserved device name on some systems"
	}
	if ascii {
		return ""
	}
	return checkUnicodeName(name)
}

// The ASCII that no name may have, as bits: 0–63 and 64–127.
const (
	badLow  = 1<<' ' - 1 | 1<<'/' | 1<<'%' | 1<<'?' | 1<<'#'
	badHigh = 1<<('\\'-64) | 1<<(0x7f-64)
)

// in reports whether the ASCII character c is of a set. Every key that is built
// or parsed goes through it, byte by byte.
func in(c byte, low, high uint64) bool {
	if c >= 64 {
		low = high
	}
	return low>>(c&63)&1 != 0
}

func whyBad(c byte) string {
	switch c {
	case '/', '\\':
		return "has a path separator"
	case '%', '?', '#':
		return "has one of % ? #, which mean something in a URL"
	}
	return "has a control character"
}

func checkUnicodeName(name string) string {
	if !utf8.ValidString(name) {
		return "is not valid UTF-8"
	}
	for _, r := range name {
		switch {
		case unicode.IsControl(r):
			return "has a control character"
		case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return "has an invisible character: bidi, zero-width or a line separator"
		}
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return "starts or ends with a space"
	}
	if !norm.NFC.IsNormalString(name) {
		return "is not in Unicode normal form C"
	}
	// A reader that normalises further must not find a path in it. Compare
	// rune by rune: a plain dot is fine, one that NFKC makes is not.
	for _, r := range name {
		if r < utf8.RuneSelf {
			continue
		}
		if strings.ContainsAny(norm.NFKC.String(string(r)), `./\`) {
			return "has a character that normalises to a dot or a path separator"
		}
	}
	return ""
}

// reservedDevice reports whether Windows would open a device for the name:
// CON, PRN, AUX, NUL, COM1–9, LPT1–9, in any case and with any extension.
func reservedDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	switch len(base) {
	case 3:
		return strings.EqualFold(base, "con") || strings.EqualFold(base, "prn") ||
			strings.EqualFold(base, "aux") || strings.EqualFold(base, "nul")
	case 4:
		return base[3] >= '1' && base[3] <= '9' &&
			(strings.EqualFold(base[:3], "com") || strings.EqualFold(base[:3], "lpt"))
	}
	return false
}
