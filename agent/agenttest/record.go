package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/carrel-go/carrel/agent"
)

// RecordingOptions configure [Record] and [Replay], which need the same ones. Nil is valid.
type RecordingOptions struct {
	// Redact takes out more than what is always taken out: access keys of AWS and what goes with them (secret keys,
	// session tokens, signatures and credentials of presigned URLs), bearer and JSON web tokens, private keys, members
	// of JSON objects whose names say that they are secret, account ids in ARNs, and e-mail addresses. It may also take
	// out what differs from run to run, such as times. Secrets are found as they stand, in JSON and as URLs write them; one
	// that is encoded otherwise, as in base64, needs a Redactor of its own. Default: nothing more.
	Redact []Redactor
}

// Recorder is a Model that passes everything on to another one and records it. It is safe for concurrent use if the
// other one is.
type Recorder struct {
	model agent.Model
	path  string

	mu    sync.Mutex
	vault *vault
	slots []*exchange // in the order in which the requests were sent; nil while one is being answered
	err   error
}

// Record returns a recorder around m which keeps the file at path. The file is written anew, whole and in one step,
// each time that an answer has ended, so that it is complete whenever nothing runs; the first time it replaces what
// was there.
//
// What stands in the file for a secret is a placeholder like [redacted:access-key:1]; the same secret has the same
// one throughout the file. A secret that came in several pieces is found too, and then they are recorded as one. Of
// images and documents the file holds digests, or the object's name.
func Record(m agent.Model, path string, o *RecordingOptions) (*Recorder, error) {
	if m == nil {
		return nil, errors.New("agenttest: the model to be recorded is nil")
	}
	if o == nil {
		o = &RecordingOptions{}
	}
	v, err := newVault(o.Redact)
	if err != nil {
		return nil, err
	}
	return &Recorder{model: m, path: path, vault: v}, nil
}

// Err says why the file could not be written, the first time that it could not, or nil.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Info implements [agent.Described] with what the recorded model returns.
func (r *Recorder) Info() agent.ModelInfo {
	if d, ok := r.model.(agent.Described); ok {
		return d.Info()
	}
	return agent.ModelInfo{}
}

// Stream implements [agent.Model].
func (r *Recorder) Stream(ctx context.Context, req *agent.Request) iter.Seq2[agent.Delta, error] {
	return func(yield func(agent.Delta, error) bool) {
		slot, e := r.begin(req)
		var (
			deltas []agent.Delta
			failed error
			end    = left // also if the consumer panics
		)
		defer func() {
			r.finish(slot, e, deltas, failed, end)
		}()
		for d, err := range r.model.Stream(ctx, req) {
			switch {
			case err == nil:
				deltas = append(deltas, own(d))
			case ctx.Err() != nil && errors.Is(err, ctx.Err()):
				end = cancelled
			default:
				end, failed = "", err
			}
			if !yield(d, err) {
				return
			}
		}
		if end == left {
			end = ""
		}
	}
}

// begin takes a place in the order for a request.
func (r *Recorder) begin(req *agent.Request) (slot int, e *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots = append(r.slots, nil)
	return len(r.slots) - 1, &exchange{Request: r.vault.request(req)}
}

func (r *Recorder) finish(slot int, e *exchange, deltas []agent.Delta, failed error, end exitPoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Answer, e.End = r.vault.answer(deltas), end
	if failed != nil {
		e.Error = r.vault.failure(failed)
	}
	r.slots[slot] = e
	if err := r.save(); err != nil && r.err == nil {
		r.err = fmt.Errorf("agenttest: record: %w", err)
	}
}

// save writes the exchanges that have ended.
func (r *Recorder) save() (err error) {
	var rec recording
	for _, e := range r.slots {
		if e != nil {
			rec.Exchanges = append(rec.Exchanges, *e)
		}
	}
	b, err := rec.encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), filepath.Base(r.path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
