package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	tenants        = 40
	usersPerTenant = 5
	uploaders      = 8 // uploads at a time
)

// bookshelf is the complete example with its embedded parts. Only the model is replaced.
type bookshelf struct {
	program, model, dir string
	procs               int // GOMAXPROCS

	addr, pprof string // addresses; the tokens hold the first
}

func newBookshelf(ctx context.Context, program, model, dir string, procs int) (_ *bookshelf, err error) {
	b := &bookshelf{program: program, model: model, dir: dir, procs: procs}
	if b.addr, err = freeAddr(ctx); err == nil {
		b.pprof, err = freeAddr(ctx)
	}
	return b, err
}

func (b *bookshelf) name() string { return "bookshelf" }

// start starts the server on the data of the uploads. The embedded S3 stands for a service elsewhere, so it gets the
// other core.
func (b *bookshelf) start(ctx context.Context) (*process, error) {
	p, err := startProcess(ctx, b.program, b.procs,
		[]string{"-addr", b.addr, "-data", filepath.Join(b.dir, "data"), "-pprof", b.pprof},
		[]string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" + b.model})
	if err != nil {
		return nil, err
	}
	if err := p.moveChildren(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (b *bookshelf) profiles(*process) string { return "http://" + b.pprof }

// freeAddr returns an address of this machine that is free now.
func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// prepare makes an upload for each stream, spread over tenants and users.
func (b *bookshelf) prepare(ctx context.Context, clients, rounds int) (_ [][]request, err error) {
	if err := os.RemoveAll(filepath.Join(b.dir, "data")); err != nil {
		return nil, err
	}
	p, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	tokens, err := b.tokens(ctx, min(clients, tenants*usersPerTenant))
	if err != nil {
		return nil, err
	}
	photo, err := newPhoto()
	if err != nil {
		return nil, err
	}
	all := make([][]request, clients)
	errs := make(chan error, uploaders)
	var wg sync.WaitGroup
	for u := range uploaders {
		wg.Go(func() {
			for i := u; i < clients; i += uploaders {
				token := tokens[i%len(tokens)]
				for range rounds {
					session, err := b.upload(ctx, token, photo)
					if err != nil {
						errs <- err
						return
					}
					all[i] = append(all[i], b.extract(token, session))
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	if err := <-errs; err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // the S3 reports the last arrivals
	return all, nil
}

// newPhoto returns a small picture.
func newPhoto() ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 24)))
	return b.Bytes(), err
}

// tokens returns the tokens of n users.
func (b *bookshelf) tokens(ctx context.Context, n int) ([]string, error) {
	list := make([]string, n)
	for i := range list {
		body := fmt.Sprintf(`{"tenant":"tenant-%d","user":"user-%d"}`, i%tenants, i/tenants)
		answer, err := call(ctx, http.MethodPost, "http://"+b.addr+"/api/dev/token",
			map[string]string{"Content-Type": "application/json"}, []byte(body))
		if err != nil {
			return nil, err
		}
		var got struct{ Token string }
		if err := json.Unmarshal(answer, &got); err != nil {
			return nil, err
		}
		list[i] = got.Token
	}
	return list, nil
}

// upload uploads the photo and returns its session.
func (b *bookshelf) upload(ctx context.Context, token string, photo []byte) (session string, err error) {
	answer, err := call(ctx, http.MethodGet, "http://"+b.addr+"/api/upload/presigned?filename=cover.png",
		map[string]string{"Authorization": "Bearer " + token}, nil)
	if err != nil {
		return "", err
	}
	var grant struct {
		Method, URL string
		Headers     map[string]string
		Session     string `json:"session_id"`
	}
	if err := json.Unmarshal(answer, &grant); err != nil {
		return "", err
	}
	_, err = call(ctx, grant.Method, grant.URL, grant.Headers, photo)
	return grant.Session, err
}

// extract returns the request for the extraction of an upload.
func (b *bookshelf) extract(token, session string) request {
	return func(ctx context.Context) (*http.Request, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.addr+"/api/metadata/extract",
			strings.NewReader(`{"session_id":"`+session+`"}`))
		if err == nil {
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	}
}

// call makes a request and returns the body of its answer, which must be a success.
func call(ctx context.Context, method, url string, headers map[string]string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: status %d: %.300s", method, req.URL.Path, res.StatusCode, answer)
	}
	return answer, err
}
