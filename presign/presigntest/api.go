package presigntest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
	"github.com/versity/versitygw/s3event"
)

const (
	healthPath = "/_health" // a bucket cannot have this name
	maxConns   = 1000       // open connections in all
)

// newServer returns an HTTP server of the S3 API with the limits of the settings.
//
// versitygw builds the API from its parts but serves it only with its own server. That server does not have timeouts or
// a limit of connections for each address, and reads a whole form into temporary files before it verifies anything.
// newServer therefore serves the API's handler itself.
func newServer(
	ctx context.Context, be backend.Backend, account auth.Account, events s3event.S3EventSender, with settings,
) (*fasthttp.Server, error) {
	app, err := newAPI(ctx, be, account, events, filepath.Join(with.Sockets, apiSocket))
	if err != nil {
		return nil, err
	}
	theirs := app.Server()
	return &fasthttp.Server{
		Handler:                      limitBodies(theirs.Handler, with.MaxObject),
		ErrorHandler:                 answerErrors(theirs.ErrorHandler),
		Name:                         theirs.Name,
		Concurrency:                  maxConns,
		MaxConnsPerIP:                with.MaxConns,
		ReadBufferSize:               theirs.ReadBufferSize,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		DisableKeepalive:             true,
		Logger:                       log.New(io.Discard, "", 0),
	}, nil
}

// answerErrors answers unreadable requests through next, except if the client disconnected or is too slow, since next
// writes a line to standard error for each of these.
func answerErrors(next func(*fasthttp.RequestCtx, error)) func(*fasthttp.RequestCtx, error) {
	return func(ctx *fasthttp.RequestCtx, err error) {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			ctx.Error(http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		next(ctx, err)
	}
}

// newAPI returns the application inside versitygw's server. The server passes it to request handlers only, so newAPI
// makes one request, over a socket, and shuts that server down.
func newAPI(
	ctx context.Context, be backend.Backend, account auth.Account, events s3event.S3EventSender, socket string,
) (*fiber.App, error) {
	var app atomic.Pointer[fiber.App]
	health := func(c fiber.Ctx) error {
		app.CompareAndSwap(nil, c.App())
		return c.SendStatus(http.StatusOK)
	}
	listening := make(chan struct{})
	srv, err := s3api.New(be, middlewares.RootUserConfig{Access: account.Access, Secret: account.Secret}, Region,
		auth.NewIAMServiceSingle(account), nil, nil, events, nil,
		s3api.WithConcurrencyLimiter(maxConns, maxConns),
		s3api.WithMpMaxParts(10000),
		s3api.WithQuiet(),
		s3api.WithRoute(http.MethodGet, healthPath, health),
		s3api.WithOnListen(func() { close(listening) }),
	)
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- srv.ServeMultiPort([]string{socket}) }()
	select {
	case <-listening:
	case err := <-served:
		return nil, err
	}
	err = askHealth(ctx, "http://s3"+healthPath, &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	})
	err = errors.Join(err, srv.ShutDown())
	ended := <-served // usually because its listener was closed
	if app.Load() == nil {
		return nil, errors.Join(errors.New("the S3 API did not answer"), err, ended)
	}
	return app.Load(), err
}

// askHealth makes one health request and returns an error unless the answer is 200.
func askHealth(ctx context.Context, url string, t *http.Transport) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		err = fmt.Errorf("health check: unexpected status %s", res.Status)
	}
	return errors.Join(err, res.Body.Close())
}
