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

type getInput struct {
	ID string `json:"upload_id" jsonschema:"an upload_id from list_uploads"`
}

// uploadDetail is the result of get_upload. Times are RFC 3339 in UTC, to the second.
type uploadDetail struct {
	uploadRow
	Reason    string        `json:"reason,omitempty"`    // if it failed: a code, for example throttled or max_attempts
	Retryable *bool         `json:"retryable,omitempty"` // if it failed
	Updated   string        `json:"updated"`
	Stages    []stageDetail `json:"stages"` // the stages that have started, in the order of the pipeline; not nil
}

type stageDetail struct {
	Name    tracking.Stage `json:"stage"`
	State   tracking.State `json:"state"` // running, waiting, released, success or failed
	Attempt int            `json:"attempt"`
	Started string         `json:"started,omitempty"`
	Ended   string         `json:"ended,omitempty"`
	Seconds *float64       `json:"seconds,omitempty"` // the duration, once it has ended
	Error   string         `json:"error,omitempty"`   // the message for people
}

// Summary implements [tools.Summarizer].
func (u uploadDetail) Summary() string {
	name := u.Filename
	if name == "" {
		name = u.ID
	}
	return fmt.Sprintf("%s: %s", name, u.Status)
}

func (u uploads) getUpload(ctx context.Context, c *tools.Call, in getInput) (uploadDetail, error) {
	sc, err := scopeOf(c)
	if err != nil {
		return uploadDetail{}, err
	}
	r, err := u.findUpload(ctx, sc, in.ID)
	if errors.Is(err, tracking.ErrNotFound) {
		return uploadDetail{}, tools.Correct(fmt.Sprintf("upload_id: there is no upload %.64q; call list_uploads for "+
			"valid ids", in.ID))
	}
	if err != nil {
		return uploadDetail{}, fmt.Errorf("trackingtools: %w", err)
	}
	return newDetail(sc, r), nil
}

// findUpload returns the upload with that id within the scope. A session has one upload, its own.
func (u uploads) findUpload(ctx context.Context, sc scope.Scope, id string) (tracking.Record, error) {
	if sc.Level() == scope.SessionLevel {
		if id != sc.SessionID() {
			return tracking.Record{}, tracking.ErrNotFound
		}
		return u.tracker.Get(ctx, sc)
	}
	return u.tracker.Find(ctx, sc, id)
}

func newDetail(sc scope.Scope, r tracking.Record) uploadDetail {
	summary := r.Summary()
	out := uploadDetail{uploadRow: newRow(sc, summary), Updated: formatTime(r.Updated), Stages: []stageDetail{}}
	if r.Status == tracking.StatusFailed {
		out.Reason, out.Retryable = summary.Reason, &summary.Retryable
	}
	for p := range r.Stages() {
		if p.State == tracking.StateQueued {
			continue
		}
		s := stageDetail{
			Name: p.Stage, State: p.State, Attempt: p.Attempt,
			Started: formatTime(p.Started), Ended: formatTime(p.Ended), Error: p.Error.Message,
		}
		if !p.Ended.IsZero() {
			seconds := p.Duration().Seconds()
			s.Seconds = &seconds
		}
		out.Stages = append(out.Stages, s)
	}
	return out
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
