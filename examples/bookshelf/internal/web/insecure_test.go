package web_test

import (
	"path"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pages that are loaded over plain http from the local network are not in a secure context, so these functions are
// missing there. A clipboard without a try is one of them.
func TestPagesNeedNoSecureContext(t *testing.T) {
	t.Parallel()
	secure := regexp.MustCompile(`crypto\.subtle|crypto\.randomUUID|serviceWorker|\bcaches\.|mediaDevices|showOpenFilePicker`)
	clipboard := regexp.MustCompile(`(try \{\s+await )?navigator\.clipboard`)
	for name, text := range readServedFiles(t) {
		if path.Ext(name) != ".js" {
			continue
		}
		code := comment.ReplaceAllString(text, "")
		require.Empty(t, secure.FindAllString(code, -1), name)
		for _, m := range clipboard.FindAllStringSubmatch(code, -1) {
			require.NotEmpty(t, m[1], "%s uses the clipboard without a fallback", name)
		}
	}
}
