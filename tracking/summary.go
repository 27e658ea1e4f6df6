package tracking

import (
	"encoding/json"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Summary is the row of a record in a list, as the index shows it. It may be
// slightly out of date; [Tracker.Get] is consistent. The fields after Filename
// are zero if the index does not project the attributes of [Listed].
type Summary struct {
	Scope    scope.Scope // the session
	Class    Class
	Filename string

	// Stage is the stage that matters now: one that a worker holds, that waits
	// for review, that failed, or that comes next. State is its state.
	Stage Stage
	State State

	Changed   time.Time         // time of the last transition; heartbeats do not count
	Reason    string            // if the class is failed: the reason of the record
	Retryable bool              // if the class is failed: whether a claim can retry it
	Labels    map[string]string // see Attempt.SetLabel
}

// Summary returns the row of the record in a list.
func (r Record) Summary() Summary {
	s := Summary{
		Scope: r.Scope, Class: r.Class(), Filename: r.Filename, Stage: r.current,
		Changed: r.Changed, Reason: r.Reason, Labels: r.Labels, Retryable: r.isRetryable(),
	}
	if s.Stage != "" {
		s.State = r.Stage(s.Stage).State
	}
	return s
}

func (r Record) isRetryable() bool { return r.Status == StatusFailed && !r.Terminal }

// toStatus returns the status of a class. That of an active record is
// IN_PROGRESS, even if it is still QUEUED.
func (c Class) toStatus() Status {
	switch c {
	case ClassSuccess:
		return StatusSuccess
	case ClassFailed:
		return StatusFailed
	}
	return StatusInProgress
}

type summaryJSON struct {
	UploadID  string            `json:"upload_id"`
	UserID    string            `json:"user_id"`
	Filename  string            `json:"filename"`
	CreatedAt string            `json:"created_at"`
	Status    Status            `json:"current_status"`
	Class     Class             `json:"class"`
	Stage     Stage             `json:"stage,omitempty"`
	State     State             `json:"state,omitempty"`
	ChangedAt string            `json:"changed_at,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Retryable *bool             `json:"retryable,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// MarshalJSON returns an object with the fields upload_id, user_id, filename,
// created_at, current_status and class; if they are known, stage, state,
// changed_at and labels; and reason and retryable if the class is failed. Times
// are RFC 3339 in UTC with three fractional digits.
func (s Summary) MarshalJSON() ([]byte, error) {
	out := summaryJSON{
		UploadID: s.Scope.SessionID(), UserID: s.Scope.UserID(), Filename: s.Filename,
		CreatedAt: formatTime(s.Scope.Time()), Status: s.Class.toStatus(), Class: s.Class,
		Stage: s.Stage, State: s.State, ChangedAt: formatTime(s.Changed), Labels: s.Labels,
	}
	if s.Class == ClassFailed {
		out.Reason, out.Retryable = s.Reason, &s.Retryable
	}
	return json.Marshal(out)
}

// decodeSummary returns what an index row of a class says about a record. It
// returns false for other items, and for a record whose index entry this
// package would not have written. Attributes of the wrong type are ignored.
func decodeSummary(f table.Found, q table.Query) (Summary, bool) {
	if f.Scope.Level() != scope.SessionLevel || f.Item.Sort != metaSort {
		return Summary{}, false
	}
	for _, e := range f.Item.Index {
		if e.Slot != q.Slot || e.Sort != f.Scope.SessionID() {
			continue
		}
		text := func(name string) string {
			v, _ := f.Item.Attr[name].(string)
			return v
		}
		s := Summary{
			Scope: f.Scope, Class: Class(q.Class), Filename: text("filename"),
			Stage: Stage(text("stage")), State: State(text("state")), Reason: text("reason"),
		}
		s.Changed, _ = time.Parse(timeLayout, text("changed"))
		terminal, _ := f.Item.Attr["terminal"].(bool)
		s.Retryable = s.Class == ClassFailed && !terminal
		labels, _ := f.Item.Attr["labels"].(map[string]table.Value)
		for name, v := range labels {
			if value, ok := v.(string); ok {
				s.Labels = mergeLabels(s.Labels, map[string]string{name: value})
			}
		}
		return s, true
	}
	return Summary{}, false
}
