package trackingtools

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tracking"
)

type getIn struct {
	ID string `json:"upload_id" jsonschema:"an upload_id that list_uploads gave"`
}

// Upload is the result of get_upload.
type Upload struct {
	Row
	// Reason is why it failed: a code such as throttled, max_attempts or cancelled. Only where Status is failed.
	Reason string `json:"reason,omitempty"`
	// Retryable says whether it can be tried again. Only where Status is failed.
	Retryable *bool  `json:"retryable,omitempty"`
	Updated   string `json:"updated"` // RFC 3339 in UTC, to the second
	// Stages are those that have started, in the pipeline's order; not nil.
	Stages []Stage `json:"stages"`
}

// Stage is one stage of an [Upload].
type Stage struct {
	Name tracking.Stage `json:"stage"`
	// State is running, parked (waits for a person), released (is about to go on), success or failed.
	State   tracking.State `json:"state"`
	Attempt int            `json:"attempt"`
	Started string         `json:"started,omitempty"` // RFC 3339 in UTC, to the second, as are all times
	Ended   string         `json:"ended,omitempty"`
	Seconds *float64       `json:"seconds,omitempty"` // how long it took; only where it has ended
	Error   string         `json:"error,omitempty"`   // what a person is told of the failure
}

// Summary implements [tools.Summarizer].
func (u Upload) Summary() string {
	name := u.Filename
	if name == "" {
		name = u.ID
	}
	return fmt.Sprintf("%s: %s", name, u.Status)
}

func (u uploads) get(ctx context.Context, c *tools.Call, in getIn) (Upload, error) {
	sc, err := scopeOf(c)
	if err != nil {
		return Upload{}, err
	}
	r, err := u.find(ctx, sc, in.ID)
	if errors.Is(err, tracking.ErrNotFound) {
		return Upload{}, tools.Correct(fmt.Sprintf("upload_id: there is no upload %.64q; list_uploads gives the ids", in.ID))
	}
	if err != nil {
		return Upload{}, fmt.Errorf("trackingtools: %w", err)
	}
	return upload(sc, r), nil
}

// find looks an id up within the scope: a session has one upload, its own.
func (u uploads) find(ctx context.Context, sc scope.Scope, id string) (tracking.Record, error) {
	if sc.Level() == scope.SessionLevel {
		if id != sc.SessionID() {
			return tracking.Record{}, tracking.ErrNotFound
		}
		return u.tracker.Get(ctx, sc)
	}
	return u.tracker.Find(ctx, sc, id)
}

func upload(sc scope.Scope, r tracking.Record) Upload {
	out := Upload{
		Row:     row(sc, tracking.Summary{Scope: r.Scope, Class: r.Class(), Filename: r.Filename}),
		Updated: moment(r.Updated),
		Stages:  []Stage{},
	}
	if r.Status == tracking.StatusFailed {
		retryable := !r.Terminal
		out.Reason, out.Retryable = r.Reason, &retryable
	}
	for p := range r.Stages() {
		if p.State == tracking.StateQueued {
			continue
		}
		s := Stage{
			Name: p.Stage, State: p.State, Attempt: p.Attempt,
			Started: moment(p.Started), Ended: moment(p.Ended), Error: p.Error.Message,
		}
		if !p.Ended.IsZero() {
			seconds := p.Duration().Seconds()
			s.Seconds = &seconds
		}
		out.Stages = append(out.Stages, s)
	}
	return out
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
