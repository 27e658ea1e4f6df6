package scope_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
)

// A hostile name must not add a line or a field to the log.
func TestLogAuditorQuotesValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := must(scope.NewLogAuditor(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))))
	s := session("acme", "u1", sessionID)
	_, err := s.Key("x\nlevel=ERROR msg=forged")
	a.Refused(t.Context(), scope.Refusal{Scope: s, Op: "object.Ref", Err: err})
	require.Equal(t, `level=WARN msg=refused op=object.Ref `+
		`reason="scope: invalid file name \"x\\nlevel=ERROR msg=forged\": has a control character" `+
		`level=session tenant=acme user=u1 session=`+sessionID+"\n", out.String())

	_, err = scope.NewLogAuditor(nil)
	require.Error(t, err)
}
