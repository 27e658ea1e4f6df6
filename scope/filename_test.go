package scope

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileNameMakesNamesThatKeyAccepts(t *testing.T) {
	t.Parallel()
	for original, want := range map[string]string{
		"cover.jpg":                       "cover.jpg",
		"Übersicht 1.pdf":                 "Übersicht 1.pdf",
		"U\u0308bersicht.pdf":             "Übersicht.pdf", // as macOS stores it
		"100% sure?.pdf":                  "100_ sure_.pdf",
		"../../etc/passwd":                "_._.._etc_passwd",
		`C:\Users\me\cover.jpg`:           "C:_Users_me_cover.jpg",
		".profile":                        "_profile",
		" cover.jpg ":                     "_cover.jpg_",
		"a\u202egpj.exe":                  "a_gpj.exe",
		"a\x00b\r\nc":                     "a_b__c",
		"a\xffb":                          "a_b",
		"con.txt":                         "_con.txt",
		"uploads":                         "_uploads",
		"":                                "_",
		"...":                             "_._",
		strings.Repeat("x", 300) + ".jpg": strings.Repeat("x", 251) + ".jpg",
		strings.Repeat("ü", 200) + ".jpg": strings.Repeat("ü", 125) + ".jpg",
		strings.Repeat("x", 254) + ".x":   strings.Repeat("x", 253) + ".x",
		strings.Repeat("x", 255) + "." + strings.Repeat("e", 15): strings.Repeat("x", 239) + "." + strings.Repeat("e", 15),
		strings.Repeat("x", 255) + "." + strings.Repeat("e", 16): strings.Repeat("x", 255),       // too long for an extension
		strings.Repeat("x", 200) + "\u2025":                      strings.Repeat("x", 200) + "_", // NFKC makes dots of it
	} {
		require.Equal(t, want, FileName(original), "%q", original)
		require.Empty(t, checkName(want), "%q", want)
	}
}

// FuzzFileNameIsAccepted checks that every result is valid and that a valid name is not changed.
func FuzzFileNameIsAccepted(f *testing.F) {
	for _, s := range []string{"a.jpg", "../x", "\u0344", "CON", "a\u0301\u0327", "\u037e", strings.Repeat("\U0001d15e", 90)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, original string) {
		name := FileName(original)
		require.Empty(t, checkName(name), "%q", name)
		require.Equal(t, name, FileName(name))
		if checkName(original) == "" && original != uploads {
			require.Equal(t, original, name)
		}
	})
}
