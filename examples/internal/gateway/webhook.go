package gateway

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3event"

	"github.com/carrel-go/carrel/presign"
)

const (
	eventTime    = 10 * time.Second // for one call of Options.Events
	sendTime     = 3 * time.Second  // the sender gives up on a request after it
	maxEventHead = 16 << 10         // bytes of a request's header
)

// webhook is where the S3 server reports new objects: the one request that is answered is a POST to a path that
// nobody else knows.
type webhook struct {
	path   string
	events func(context.Context, []byte)
	server *http.Server
	ended  chan error

	s3event.S3EventSender
	sent, come atomic.Int64 // events
}

// listenForEvents opens a webhook that hands over to events, and returns it with what sends to it. Without events
// there are neither.
func listenForEvents(ctx context.Context, events func(context.Context, []byte)) (*webhook, s3event.S3EventSender, error) {
	if events == nil {
		return nil, nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("gateway: listen for events: %w", err)
	}
	h := &webhook{path: "/" + rand.Text(), events: events, ended: make(chan error, 1)}
	h.server = &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, MaxHeaderBytes: maxEventHead,
	}
	go func() { h.ended <- h.server.Serve(l) }()
	h.S3EventSender, err = s3event.InitWebhookEventSender("http://"+l.Addr().String()+h.path, nil)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("gateway: events: %w", err), h.close())
	}
	return h, h, nil
}

// SendEvent sends what tells of a new object, and counts it: the sender has goroutines that it does not wait for.
func (h *webhook) SendEvent(c fiber.Ctx, meta s3event.EventMeta) {
	if strings.HasPrefix(string(meta.EventName), "s3:ObjectCreated:") {
		h.sent.Add(1)
		h.S3EventSender.SendEvent(c, meta)
	}
}

// close waits for the events that are on their way and for the calls under way. It may be called on nil.
func (h *webhook) close() error {
	if h == nil {
		return nil
	}
	for began := time.Now(); h.come.Load() < h.sent.Load() && time.Since(began) < sendTime; {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), eventTime)
	defer cancel()
	err := h.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, h.server.Close())
	}
	if ended := <-h.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// ServeHTTP answers without a body: the sender does not read one, and would leave its connection open.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(h.path)) != 1 || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, presign.MaxEvent))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	message, err := asS3Writes(raw)
	if err != nil {
		message = raw // for whoever reads it to refuse and report
	}
	if message != nil {
		h.come.Add(1)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), eventTime) // the sender waits for 3 s, and sends nothing twice
		defer cancel()
		h.events(ctx, message)
	}
	w.WriteHeader(http.StatusNoContent)
}
