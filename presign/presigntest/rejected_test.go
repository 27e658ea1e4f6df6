package presigntest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
)

// A rejected upload gets its response, even if the client has not sent the body yet.
func TestRejectedUploadsGetTheirResponse(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	g := d.grant(t, &presign.PutOptions{Type: "image/jpeg", Size: maxObject})
	body := make([]byte, maxObject)
	res, text := do(t, request(t, g, body))
	require.Equal(t, http.StatusOK, res.StatusCode, text)
	for range 20 {
		res, text = do(t, request(t, g, body))
		require.Equal(t, http.StatusPreconditionFailed, res.StatusCode, text)
		forged := request(t, g, body)
		setQuery("X-Amz-Signature", "0")(forged)
		res, text = do(t, forged)
		require.Equal(t, http.StatusForbidden, res.StatusCode, text)
	}
}
