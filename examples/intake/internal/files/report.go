package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	// MaxColumns is the number of columns that a report has.
	MaxColumns = 250
	// maxName is the length of the longest name of a column in a report, in bytes.
	maxName = 200
)

// Report is the description of a file.
type Report struct {
	// The measured part. Whole reports that the whole file was read.
	Format    string          `json:"format"`
	Encoding  string          `json:"encoding"`
	Separator string          `json:"separator,omitempty"`
	Size      int64           `json:"size"`
	Whole     bool            `json:"whole"`
	Notes     []string        `json:"notes,omitempty"`
	Profile   profile.Profile `json:"profile"`
	Measured  time.Time       `json:"measured_at"`

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

// fit shortens the measured part so that it fits an item, and says so.
func (r *Report) fit() {
	if n := len(r.Profile.Columns); n > MaxColumns {
		r.Profile.Columns = slices.Clone(r.Profile.Columns[:MaxColumns])
		r.Notes = append(r.Notes, fmt.Sprintf("only the first %d of %d columns are in the report", MaxColumns,
			r.Profile.HasColumns))
	}
	isShortened := false
	for i := range r.Profile.Columns {
		if c := &r.Profile.Columns[i]; len(c.Name) > maxName {
			c.Name, isShortened = shorten(c.Name, maxName), true
		}
	}
	if isShortened {
		r.Notes = append(r.Notes, "long names of columns are shortened")
	}
}

// shorten returns the beginning of s, in whole characters.
func shorten(s string, n int) string {
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// Reason returns the text of an [ErrInvalid] without its prefix.
func Reason(err error) string { return strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": ") }

const (
	reportItem = "profile"
	reportAttr = "report"
)

func (r *Report) item(sort string) (table.Item, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return table.Item{}, fmt.Errorf("files: encode a report: %w", err)
	}
	return table.Item{Sort: sort, Version: r.Version, Attr: map[string]table.Value{reportAttr: string(raw)}}, nil
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
	// ErrChanged is returned if the report has another version, or was confirmed.
	ErrChanged = errors.New("files: the report has changed")
	// ErrInvalid is returned for a kind or a column that does not exist, and for a text that is too long.
	ErrInvalid = errors.New("files: invalid value")
	// ErrShared is returned for a change of a file that the tenant shares.
	ErrShared = errors.New("files: shared files cannot be changed")
	// ErrNotClaimed is returned to a run that does not have the claim of the file's stage [Profiled].
	ErrNotClaimed = errors.New("files: the run does not take in the file")
	// ErrTooLarge is returned for sharing a file of more than [MaxSharedSize] bytes.
	ErrTooLarge = errors.New("files: too large to be shared")
)
