package scope

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxName = 255
	uploads = "uploads" // reserved at user level: sessions lie below it
)

// checkName returns why name cannot be the last segment of a key, or "".
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
		case c == '/' || c == '\\':
			return "has a path separator"
		case c == '%' || c == '?' || c == '#':
			return "has one of % ? #, which have a meaning in URLs"
		case c < ' ' || c == 0x7f:
			return "has a control character"
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	switch first, last := name[0], name[len(name)-1]; {
	case first == '.' || last == '.':
		return "starts or ends with a dot"
	case first == ' ' || last == ' ':
		return "starts or ends with a space"
	}
	if isReservedDevice(name) {
		return "is a reserved device name on some systems"
	}
	if ascii {
		return ""
	}
	return checkUnicodeName(name)
}

// checkUnicodeName checks a name that is not ASCII alone.
func checkUnicodeName(name string) string {
	if !utf8.ValidString(name) {
		return "is not valid UTF-8"
	}
	for _, r := range name {
		switch {
		case unicode.IsControl(r):
			return "has a control character"
		case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point,
			unicode.Variation_Selector):
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
	// A reader that applies NFKC must not find a path in the name. A plain dot is
	// allowed, so each other character is normalised by itself.
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

// isReservedDevice reports whether Windows opens a device for the name: CON, PRN,
// AUX, NUL, COM1–9 or LPT1–9, in any case and with any extension.
func isReservedDevice(name string) bool {
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
