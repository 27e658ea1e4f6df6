package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
)

// slowClient is how long a client may take to send its request, and to read the end of its response.
const slowClient = 30 * time.Second

// handler is the HTTP side of a server.
type handler struct {
	*server
	gate      gate
	transport http.Handler
	patience  time.Duration // slowClient, but for tests
}

// requestKey is the context key of the context of the HTTP request. The SDK detaches contexts from it.
type requestKey struct{}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(h.patience)) // a server without deadlines serves without them
	caller, err := scope.FromContext(r.Context())
	if err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "A bearer token is needed.", http.StatusUnauthorized)
		return
	}
	leave := h.gate.enter(caller)
	if leave == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many requests are in flight.", http.StatusTooManyRequests)
		return
	}
	defer leave()

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.o.MaxBody))
	if err == nil { // otherwise the deadline also ends what the server reads of the rest
		_ = rc.SetReadDeadline(time.Time{})
	}
	_, isTooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case isTooLarge:
		http.Error(w, fmt.Sprintf("The body has more than %d bytes.", h.o.MaxBody), http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, "The body cannot be read.", http.StatusBadRequest)
		return
	case bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")):
		http.Error(w, "Batches are not supported.", http.StatusBadRequest)
		return
	}
	_ = rc.SetWriteDeadline(time.Now().Add(h.o.Timeout + h.patience))
	defer func() { _ = rc.SetWriteDeadline(time.Time{}) }() // the connection may serve other requests

	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, r.Context()))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	h.transport.ServeHTTP(w, r)
}

// errInternal is the answer to a failure whose cause a client must not see.
var errInternal = &jsonrpc.Error{
	Code: jsonrpc.CodeInternalError, Message: "The server failed. The request may be tried again.",
}

func newParamsError(format string, args ...any) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}

// handle answers the methods that depend on the caller, and bounds the time of all.
func (s *server) handle(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (res sdk.Result, err error) {
		defer func() {
			if v := recover(); v != nil { // in a function of the host: tools recover their own
				s.o.Logger.ErrorContext(ctx, "mcp: panic", "method", method, "value", v, "stack", string(debug.Stack()))
				res, err = nil, errInternal
			}
		}()
		ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
		defer cancel()
		if r, ok := ctx.Value(requestKey{}).(context.Context); ok {
			defer context.AfterFunc(r, cancel)()
		}
		caller, err := scope.FromContext(ctx)
		if err != nil {
			return nil, errInternal
		}
		res, err = s.dispatch(ctx, caller, method, req, next)
		return res, s.hideCause(ctx, method, err)
	}
}

// dispatch answers a method itself, or leaves it to the SDK.
func (s *server) dispatch(
	ctx context.Context, caller scope.Scope, method string, req sdk.Request, next sdk.MethodHandler,
) (sdk.Result, error) {
	switch req := req.(type) {
	case *sdk.ListToolsRequest:
		return s.listTools(ctx, caller, req, next)
	case *sdk.CallToolRequest:
		return s.callTool(ctx, caller, req, next)
	case *sdk.ListResourcesRequest:
		if s.o.Objects != nil {
			return s.listResources(ctx, caller, req, next)
		}
	case *sdk.ReadResourceRequest:
		if s.o.Objects != nil && isObjectURI(req.Params.URI) {
			return s.readResource(ctx, caller, req)
		}
	}
	return next(ctx, method, req)
}

// hideCause returns the error of a method of the SDK as a client may see it. Only errors of the protocol may be seen,
// and the SDK does not answer at all if their data are not JSON.
func (s *server) hideCause(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok {
		return s.fail(ctx, method, err)
	}
	if len(e.Data) > 0 && !json.Valid(e.Data) {
		return &jsonrpc.Error{Code: e.Code, Message: e.Message}
	}
	return err
}

// fail logs the cause of a failure and returns the answer to it.
func (s *server) fail(ctx context.Context, op string, err error) error {
	s.o.Logger.ErrorContext(ctx, "mcp: request failed", "op", op, "err", err)
	return errInternal
}

// sharedScope returns the shared scope that a request may read, or the zero Scope.
func (s *server) sharedScope(ctx context.Context, caller scope.Scope) scope.Scope {
	if s.o.Shared == nil {
		return scope.Scope{}
	}
	shared := s.o.Shared(ctx)
	if shared.Level() != scope.SharedLevel || shared.TenantID() != caller.TenantID() {
		return scope.Scope{}
	}
	return shared.ReadOnly()
}
