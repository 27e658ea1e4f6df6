package objecttools

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// stateName is the entry of the conversation's State that holds a fileTable.
const stateName = "objecttools"

// maxFiles is the largest number of files with a handle in one conversation. An entry takes a few hundred bytes of the
// State, which is limited to 64 KiB.
const maxFiles = 200

// fileTable is the persistent state of a conversation: the files that have a handle, as Refs pinned to the listed
// version. The handle of Files[i] is "f" + (i+1). Entries are never removed, so handles keep their meaning.
type fileTable struct {
	Files []json.RawMessage `json:"files"`
}

// storedRef returns the stored Ref of a handle, or nil if the handle is unknown.
func (t *fileTable) storedRef(handle string) json.RawMessage {
	if i := parseHandle(handle); 0 <= i && i < len(t.Files) {
		return t.Files[i]
	}
	return nil
}

// parseHandle is the exact inverse of formatHandle. It returns -1 if s is not a handle.
func parseHandle(s string) int {
	if len(s) < 2 || len(s) > 9 || s[0] != 'f' || s[1] < '1' || s[1] > '9' { // rejects f01 and f+1
		return -1
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil {
		return -1
	}
	return n - 1
}

func formatHandle(i int) string { return "f" + strconv.Itoa(i+1) }

// assignedHandle is the handle of a listed file.
type assignedHandle struct {
	handle  string
	changed bool // the handle stood for another version of the file before
}

// assignHandles returns a handle for each ref and pins it to the listed version. A file keeps the handle that it has.
// If all handles are in use, assignHandles returns those before, and reports it.
func assignHandles(st *tools.State, refs []object.Ref) (assigned []assignedHandle, isFull bool, err error) {
	var table fileTable
	err = st.Update(stateName, &table, func() error {
		assigned, isFull, err = table.assign(refs)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("objecttools: update the conversation's file table: %w", err)
	}
	return assigned, isFull, nil
}

// assign stores refs in the table. It stops before the table exceeds maxFiles, and reports that it is full.
func (t *fileTable) assign(refs []object.Ref) (assigned []assignedHandle, isFull bool, err error) {
	// Stored Refs are untrusted: they are only compared here, and parsed by ParseRef inside the scope of a call.
	known := make(map[string]int, len(t.Files))
	for i, raw := range t.Files {
		if id, err := objectID(raw); err == nil {
			known[id] = i
		}
	}
	for _, ref := range refs {
		stored, err := json.Marshal(ref)
		if err != nil {
			return nil, false, err
		}
		id, err := objectID(stored)
		if err != nil {
			return nil, false, err
		}
		if i, ok := known[id]; ok {
			assigned = append(assigned, assignedHandle{formatHandle(i), string(t.Files[i]) != string(stored)})
			t.Files[i] = stored
			continue
		}
		if len(t.Files) >= maxFiles {
			return assigned, true, nil
		}
		known[id] = len(t.Files)
		assigned = append(assigned, assignedHandle{handle: formatHandle(len(t.Files))})
		t.Files = append(t.Files, stored)
	}
	return assigned, false, nil
}

// objectID returns the bucket and key of a stored Ref, without its version.
func objectID(stored json.RawMessage) (string, error) {
	var r struct{ Bucket, Key string }
	err := json.Unmarshal(stored, &r)
	return r.Bucket + "\x00" + r.Key, err
}

// lookupFile returns the file of a handle. It returns the same correction for an unknown handle and for a stored Ref
// outside the scope of the call, such as one of a State from another scope.
func (ts *toolset) lookupFile(c *tools.Call, handle string) (*object.Root, object.Ref, error) {
	roots, err := ts.openRoots(c)
	if err != nil {
		return nil, object.Ref{}, err
	}
	var table fileTable
	if _, err := c.State().Get(stateName, &table); err != nil {
		return nil, object.Ref{}, fmt.Errorf("objecttools: read the conversation's file table: %w", err)
	}
	if stored := table.storedRef(handle); stored != nil {
		if root, ref, err := object.ParseRef(stored, roots...); err == nil {
			return root, ref, nil
		}
	}
	return nil, object.Ref{}, tools.Correct(fmt.Sprintf("unknown file %q. Call list_files and use a handle from "+
		"its result, for example f1.", truncateRunes(handle, 40)))
}

// mapStoreError converts an error of the store that the model can handle to a correction, and wraps others.
func mapStoreError(handle string, err error) error {
	switch {
	case errors.Is(err, object.ErrChanged):
		return tools.Correct(fmt.Sprintf("the file %s has changed since it was listed. Call list_files again, then use "+
			"%[1]s without a cursor.", handle))
	case errors.Is(err, object.ErrNotFound):
		return tools.Correct(fmt.Sprintf("the file %s does not exist any more. Call list_files again.", handle))
	}
	return fmt.Errorf("objecttools: %w", err)
}
