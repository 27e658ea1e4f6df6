package presigntest

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

func TestFormsInFlightAreLimitedByTheirSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const maxObject = 1 << 20
		const largest = maxObject + documentSize
		release, statuses := make(chan struct{}), make(chan int, 2*formsAtOnce)
		handler := limitBodies(func(ctx *fasthttp.RequestCtx) {
			<-release
			ctx.SetStatusCode(http.StatusNoContent)
		}, maxObject)
		send := func(size int) {
			go func() {
				var ctx fasthttp.RequestCtx
				ctx.Request.Header.SetMethod(http.MethodPost)
				ctx.Request.Header.SetContentType("multipart/form-data; boundary=x")
				ctx.Request.Header.SetContentLength(size)
				handler(&ctx)
				statuses <- ctx.Response.StatusCode()
			}()
			synctest.Wait()
		}
		defer close(release)
		for range formsAtOnce {
			send(largest)
		}
		require.Empty(t, statuses)
		for _, size := range []int{largest, documentSize + 1} { // a rejected form does not free room
			send(size)
			require.Equal(t, http.StatusServiceUnavailable, <-statuses)
		}
		release <- struct{}{}
		require.Equal(t, http.StatusNoContent, <-statuses)
		synctest.Wait()
		send(largest)
		require.Empty(t, statuses)
		send(largest)
		require.Equal(t, http.StatusServiceUnavailable, <-statuses)
	})
}
