package objecttools

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// ErrFull is returned by [Assign] if the conversation does not have room for more handles.
var ErrFull = errors.New("objecttools: the conversation has as many handles as it may have")

// Assign returns a handle for each of refs, which must be pinned, so that a host can list files with another tool
// than list_files. A file that already has a handle keeps it. If not all of them have room, Assign returns the
// handles of the first ones, and [ErrFull].
func Assign(c *tools.Call, refs ...object.Ref) ([]string, error) {
	for _, ref := range refs {
		if ref.ETag() == "" && ref.Version() == "" {
			return nil, fmt.Errorf("objecttools: %q is not pinned", ref.Name())
		}
	}
	assigned, isFull, err := assignHandles(c.State(), refs)
	if err != nil {
		return nil, err
	}
	handles := make([]string, len(assigned))
	for i, a := range assigned {
		handles[i] = a.handle
	}
	if isFull {
		return handles, ErrFull
	}
	return handles, nil
}

// Lookup returns the file of a handle, so that a tool of the host can take the handles of this package. The object is
// in the scope of the call, or in its [tools.Call.Shared]. It is pinned to the version that was listed. For every other
// handle the error is a [tools.CorrectionError].
func Lookup(c *tools.Call, b *object.Bucket, handle string) (*object.Root, object.Ref, error) {
	if b == nil {
		return nil, object.Ref{}, errors.New("objecttools: bucket must not be nil")
	}
	return (&toolset{bucket: b}).lookupFile(c, handle)
}
