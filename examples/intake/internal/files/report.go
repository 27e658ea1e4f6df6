package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/scope/table"
)

// Report is the description of a file.
type Report struct {
	// The measured part: of the whole file.
	Format    string `json:"format"`
	Encoding  string `json:"encoding"`
	Separator string `json:"separator,omitempty"`
	Size      int64  `json:"size"`
	// Digest is that of the names and the values, in their order. Two files with the same one have the same content.
	Digest   string          `json:"digest,omitempty"`
	Notes    []string        `json:"notes,omitempty"`
	Profile  profile.Profile `json:"profile"`
	Measured time.Time       `json:"measured_at"`

	// The recorded part is the description by the agent, with the corrections of the person.
	Kind     kinds.Kind        `json:"kind,omitempty"`
	Summary  string            `json:"summary,omitempty"`
	Meanings map[string]string `json:"meanings,omitempty"` // of columns, by name
	Recorded time.Time         `json:"recorded_at,omitzero"`

	Confirmed time.Time `json:"confirmed_at,omitzero"`
	// Corrected reports that the person has changed the kind or the meanings.
	Corrected bool `json:"corrected,omitempty"`

	// Version is that of the stored report.
	Version int64 `json:"version"`
}

// IsRecorded reports whether the agent has completed the report.
func (r *Report) IsRecorded() bool { return r != nil && !r.Recorded.IsZero() }

// IsConfirmed reports whether a person has confirmed the report.
func (r *Report) IsConfirmed() bool { return r != nil && !r.Confirmed.IsZero() }

// HasColumn reports whether the measured part has a column with that name.
func (r *Report) HasColumn(name string) bool { return r.Profile.Column(name) != nil }

// Reason returns the text of an [ErrInvalid] without its prefix.
func Reason(err error) string { return strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": ") }

const (
	reportItem = "profile"
	reportAttr = "report"
)

// item returns the item of a report. It returns [ErrInvalid] for one that does not fit.
func (r *Report) item(sort string) (table.Item, error) {
	raw, err := encode(r)
	if err != nil {
		return table.Item{}, err
	}
	if len(raw) > maxReport {
		return table.Item{}, fmt.Errorf("%w: the summary and the meanings of the columns are too long: together with the "+
			"profile they have %d bytes, and at most %d are stored", ErrInvalid, len(raw), maxReport)
	}
	return table.Item{Sort: sort, Version: r.Version, Attr: map[string]table.Value{reportAttr: raw}}, nil
}

func parseReport(it table.Item) (*Report, error) {
	raw, ok := it.Attr[reportAttr].(string)
	r := new(Report)
	if !ok || json.Unmarshal([]byte(raw), r) != nil {
		return nil, fmt.Errorf("files: %q is not a report", it.Sort)
	}
	r.Version = it.Version
	return r, nil
}

var (
	// ErrNotFound is returned for a file that does not exist or that the user must not see.
	ErrNotFound = errors.New("files: not found")
	// ErrNotReady is returned for an operation that an earlier one must precede.
	ErrNotReady = errors.New("files: the file has not come that far")
	// ErrChanged is returned if the report has another version, or another statement.
	ErrChanged = errors.New("files: the report has changed")
	// ErrInvalid is returned for a kind or a column that does not exist, and for a text that is too long.
	ErrInvalid = errors.New("files: invalid value")
	// ErrShared is returned for a change of a file that the tenant shares.
	ErrShared = errors.New("files: shared files cannot be changed")
	// ErrConfirmed is returned for a correction of a report that was confirmed.
	ErrConfirmed = errors.New("files: the report was confirmed")
	// ErrNotClaimed is returned to a run that does not have the claim of the file's stage [Profiled].
	ErrNotClaimed = errors.New("files: the run does not take in the file")
	// ErrTooLarge is returned for sharing a file of more than [MaxSharedSize] bytes.
	ErrTooLarge = errors.New("files: too large to be shared")
)
