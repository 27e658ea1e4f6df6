package objecttools

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// stateName is where the handles lie in a conversation's State.
const stateName = "objecttools"

// memory is what a conversation remembers: its files as Refs, pinned to what was listed. A file's handle is its place
// in the list, from f1 on, so it stays the same for as long as the conversation lasts.
//
// Stop is where the last list stopped that had looked at all it may, and found no file there to give a handle.
type memory struct {
	Files []json.RawMessage `json:"files"`
	Stop  json.RawMessage   `json:"stop,omitempty"`
}

func recall(c *tools.Call) (m memory, err error) {
	if _, err := c.State().Get(stateName, &m); err != nil {
		return m, fmt.Errorf("objecttools: the files of the conversation: %w", err)
	}
	return m, nil
}

// at gives the stored Ref of a handle, nil where there is none.
func (m *memory) at(handle string) json.RawMessage {
	if i := indexOf(handle); 0 <= i && i < int64(len(m.Files)) {
		return m.Files[i]
	}
	return nil
}

// indexOf is the inverse of handleOf, -1 for what is no handle.
func indexOf(handle string) int64 {
	if len(handle) < 2 || len(handle) > 9 || handle[0] != 'f' || handle[1] < '1' || handle[1] > '9' {
		return -1 // f01 and f+1 are none
	}
	n, err := strconv.Atoi(handle[1:])
	if err != nil {
		return -1
	}
	return int64(n - 1)
}

func handleOf(i int) string { return "f" + strconv.Itoa(i+1) }

// given is a file that has a handle now.
type given struct {
	handle  string
	changed bool // it had one before, for other content
}

// errFull: no more files fit into the conversation.
var errFull = errors.New("objecttools: too many files")

// remember gives each ref a handle, the one that it had if it had one, and pins it to what was listed. It stops at the
// first that no longer fits, and returns those before. Where a list stopped is remembered too, and returned as stored;
// the zero Ref is nowhere.
func (d *desk) remember(st *tools.State, refs []object.Ref, stop object.Ref) (out []given, stopped json.RawMessage, err error) {
	var m memory
	full := false
	err = st.Update(stateName, &m, func() error {
		if !stop.IsZero() {
			if m.Stop, err = json.Marshal(stop); err != nil {
				return err
			}
			stopped = m.Stop
		}
		// What the State says is data: it is compared here, and read only through ParseRef, inside the scope of the run.
		known := make(map[string]int, len(m.Files))
		for i, raw := range m.Files {
			if k, err := nameOf(raw); err == nil {
				known[k] = i
			}
		}
		for _, ref := range refs {
			stored, err := json.Marshal(ref)
			if err != nil {
				return err
			}
			k, err := nameOf(stored)
			if err != nil {
				return err
			}
			i, ok := known[k]
			switch {
			case !ok && len(m.Files) >= d.maxFiles:
				full = true
				return nil
			case !ok:
				i = len(m.Files)
				m.Files = append(m.Files, stored)
				known[k] = i
				out = append(out, given{handle: handleOf(i)})
			default:
				out = append(out, given{handle: handleOf(i), changed: string(m.Files[i]) != string(stored)})
				m.Files[i] = stored
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("objecttools: the files of the conversation: %w", err)
	}
	if full {
		return out, nil, errFull
	}
	return out, stopped, nil
}

// nameOf is a stored Ref without its pin: two are equal if they name the same file.
func nameOf(stored json.RawMessage) (string, error) {
	var r struct{ Bucket, Key string }
	err := json.Unmarshal(stored, &r)
	return r.Bucket + "\x00" + r.Key, err
}

// lookup finds the file of a handle inside what the call may read. A handle that was never given, and one whose Ref
// lies outside, as in a State that comes from elsewhere, are the same correction.
func (d *desk) lookup(c *tools.Call, handle string) (*object.Root, object.Ref, error) {
	roots, err := d.roots(c)
	if err != nil {
		return nil, object.Ref{}, err
	}
	m, err := recall(c)
	if err != nil {
		return nil, object.Ref{}, err
	}
	if stored := m.at(handle); stored != nil {
		if root, ref, err := object.ParseRef(stored, roots...); err == nil {
			return root, ref, nil
		}
	}
	return nil, object.Ref{}, tools.Correct(fmt.Sprintf("there is no file %q: list_files gives the handles of the files", clipRunes(handle, 40)))
}

// explain puts an error of the store into words for the model, where it is one that the model can mend.
func explain(handle string, err error) error {
	switch {
	case errors.Is(err, object.ErrChanged):
		return tools.Correct(fmt.Sprintf("the file %s has changed since it was listed: call list_files again, then go on with what it says", handle))
	case errors.Is(err, object.ErrNotFound):
		return tools.Correct(fmt.Sprintf("the file %s is not there any more: call list_files again", handle))
	}
	return fmt.Errorf("objecttools: %w", err)
}
