package scope

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// FileName turns the name of a person's file into a name that [Scope.Key] accepts at
// every level. A name that Key accepts already is returned unchanged. Otherwise FileName
// composes it (Unicode normal form C), replaces each rejected character by "_", puts "_"
// before a reserved name, returns "_" for an empty name, and shortens a long name before
// its extension. Different names can have the same result.
//
// Call it where a person chooses a file. Keep the original beside the result for
// display, as untrusted text. Do not repair names that a program sends: let Key
// reject them.
func FileName(original string) string {
	name := norm.NFC.String(strings.ToValidUTF8(original, "_"))
	var b strings.Builder
	for _, r := range name {
		// Dots and spaces are invalid by themselves only. A combining mark is invalid
		// behind an "a" only if the two can be composed.
		if s := string(r); checkName(s) != "" && checkName("a"+s+"a") != "" {
			b.WriteByte('_')
			continue
		}
		b.WriteRune(r)
	}
	name = replaceEnds(cutName(norm.NFC.String(b.String())))
	if name == "" || name == uploads || isReservedDevice(name) {
		name = cutName("_" + name)
	}
	if checkName(name) != "" { // composing has made a character that Key rejects
		return "_"
	}
	return name
}

// cutName cuts a name to maxName bytes, before its extension if that is short.
func cutName(name string) string {
	if len(name) <= maxName {
		return name
	}
	extension := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		extension = name[i:]
	}
	end := maxName - len(extension)
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + extension
}

// replaceEnds puts "_" for a dot or a space at either end.
func replaceEnds(name string) string {
	isEnd := func(s string) bool { return s != "" && checkName(s) != "" }
	if first, n := utf8.DecodeRuneInString(name); isEnd(string(first)) && n > 0 {
		name = "_" + name[n:]
	}
	if last, n := utf8.DecodeLastRuneInString(name); isEnd(string(last)) && n > 0 {
		name = name[:len(name)-n] + "_"
	}
	return name
}
