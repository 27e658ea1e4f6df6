package presigntest

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

const (
	documentSize = 4 << 20 // bytes of a request's XML document, or of a form's fields
	formsAtOnce  = 4       // how many of the largest forms are read at once
)

// limitBodies rejects bodies by their headers: bodies without a length, documents above documentSize, and forms that
// are too large or too many at once. The API reads all bodies except objects into memory, and forms and documents
// before it has verified a signature. Objects sent by PUT are limited by [backendLimits], after the signature.
func limitBodies(next fasthttp.RequestHandler, maxObject int64) fasthttp.RequestHandler {
	var forms atomic.Int64 // bytes of the forms in flight
	refuse := func(ctx *fasthttp.RequestCtx, status int) {
		ctx.Error(http.StatusText(status), status)
		ctx.SetConnectionClose()
	}
	return func(ctx *fasthttp.RequestCtx) {
		n := int64(ctx.Request.Header.ContentLength())
		switch {
		case isObject(ctx) && n == 0 && !statesLength(ctx):
			refuse(ctx, http.StatusLengthRequired)
		case isObject(ctx):
			next(ctx)
		case n == -1: // chunked
			refuse(ctx, http.StatusLengthRequired)
		case n <= documentSize:
			next(ctx)
		case !isForm(ctx), maxObject > 0 && n > maxObject+documentSize:
			refuse(ctx, http.StatusRequestEntityTooLarge)
		case maxObject > 0 && forms.Add(n) > formsAtOnce*(maxObject+documentSize):
			forms.Add(-n)
			refuse(ctx, http.StatusServiceUnavailable)
		default:
			if maxObject > 0 {
				defer forms.Add(-n)
			}
			next(ctx)
		}
	}
}

// isObject reports whether the request's body is an object or a part of one.
func isObject(ctx *fasthttp.RequestCtx) bool {
	if !ctx.IsPut() {
		return false
	}
	for name := range ctx.QueryArgs().All() {
		switch key := strings.ToLower(string(name)); {
		case key == "partnumber", key == "uploadid", key == "x-id", strings.HasPrefix(key, "x-amz-"):
		default:
			return false // a document about an object or a bucket
		}
	}
	return true
}

// statesLength reports whether the request has a Content-Length. Without one, HTTP treats the body as empty, and an
// empty object would be stored. fasthttp fills in a length of zero, so the raw header is checked.
func statesLength(ctx *fasthttp.RequestCtx) bool {
	return bytes.Contains(bytes.ToLower(ctx.Request.Header.RawHeaders()), []byte("content-length:"))
}

func isForm(ctx *fasthttp.RequestCtx) bool {
	return ctx.IsPost() && bytes.HasPrefix(bytes.ToLower(ctx.Request.Header.ContentType()), []byte("multipart/form-data"))
}
