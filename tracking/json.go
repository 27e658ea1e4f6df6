package tracking

import (
	"encoding/json"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
)

// timeLayout is the layout of times in JSON and in the store.
const timeLayout = dueindex.TimeLayout

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return dueindex.FormatTime(t)
}

type recordJSON struct {
	UploadID  string            `json:"upload_id"`
	TenantID  string            `json:"tenant_id"`
	UserID    string            `json:"user_id"`
	Filename  string            `json:"filename"`
	Status    Status            `json:"current_status"`
	Reason    string            `json:"reason,omitempty"`
	Retryable *bool             `json:"retryable,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	CreatedAt string            `json:"created_at"`
	UpdatedAt string            `json:"updated_at"`
	Stages    []stageJSON       `json:"stage_progress"`
}

type stageJSON struct {
	Name           Stage     `json:"stage_name"`
	Status         string    `json:"status"`
	Attempt        int       `json:"attempt"`
	StartTime      string    `json:"start_time,omitempty"`
	EndTime        string    `json:"end_time,omitempty"`
	ProcessingTime *float64  `json:"processing_time,omitempty"`
	Source         *Location `json:"source,omitempty"`
	Destination    *Location `json:"destination,omitempty"`
	ErrorMessage   string    `json:"error_message,omitempty"`
}

// MarshalJSON returns an object with the fields upload_id, tenant_id, user_id,
// filename, current_status, created_at, updated_at and stage_progress, an array
// of the stages that have started; reason and retryable if the status is
// FAILED; and labels if there are any. A stage has stage_name, status, attempt
// and start_time; once it has ended, end_time and processing_time in seconds;
// if it failed, error_message; and, if they are known, source and destination.
// Times are RFC 3339 in UTC with three fractional digits. Keys, fences and
// leases are omitted.
func (r Record) MarshalJSON() ([]byte, error) {
	out := recordJSON{
		UploadID: r.Scope.SessionID(), TenantID: r.Scope.TenantID(), UserID: r.Scope.UserID(),
		Filename: r.Filename, Status: r.Status, Labels: r.Labels,
		CreatedAt: formatTime(r.Created()), UpdatedAt: formatTime(r.Updated),
		Stages: []stageJSON{},
	}
	if r.Status == StatusFailed {
		retryable := r.isRetryable()
		out.Reason, out.Retryable = r.Reason, &retryable
	}
	for _, p := range r.stages {
		if p.State != StateQueued {
			out.Stages = append(out.Stages, p.toJSON())
		}
	}
	return json.Marshal(out)
}

func (p Progress) toJSON() stageJSON {
	out := stageJSON{
		Name: p.Stage, Status: "in_progress", Attempt: p.Attempt,
		StartTime: formatTime(p.Started), EndTime: formatTime(p.Ended), ErrorMessage: p.Error.Message,
	}
	if p.State == StateSuccess || p.State == StateFailed {
		seconds := p.Duration().Seconds()
		out.Status, out.ProcessingTime = string(p.State), &seconds
	}
	if !p.Source.IsZero() {
		out.Source = &p.Source
	}
	if !p.Destination.IsZero() {
		out.Destination = &p.Destination
	}
	return out
}
