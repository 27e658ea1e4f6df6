package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/tools"
)

// kind is the kind of a record, and the prefix of its sort key.
type kind string

const (
	turnKind    kind = "turn#"
	compactKind kind = "compact#"
)

// bounds returns the bounds of the sort keys of the kind.
func (k kind) bounds() (from, to string) {
	return string(k), strings.TrimSuffix(string(k), "#") + "$" // $ sorts after #
}

// The attributes of an item.
const (
	contentAttr = "content" // the JSON of the record, unless it is in an object
	objectAttr  = "object"  // the Ref of that object
	digestAttr  = "digest"  // the SHA-256 of the JSON
)

// maxInline is the size of the largest JSON in an item, which leaves room for the rest of it.
const maxInline = table.MaxItem - 4<<10

// record is a turn or a compaction.
type record struct {
	kind    kind
	number  int
	through int // of a compaction
	turns   []agent.Turn
	state   *tools.State
	size    int // of the JSON
}

// content is the JSON of a record.
type content struct {
	Through int             `json:"through,omitempty"`
	Turns   []agent.Turn    `json:"turns"`
	State   json.RawMessage `json:"state,omitempty"`
}

func turnName(n int) string { return recordName(turnKind, n) }

func recordName(k kind, n int) string { return fmt.Sprintf("%s%06d", k, n) }

// writeRecord stores the record unless another one has its name.
func (s *Store) writeRecord(ctx context.Context, session scope.Scope, r record) error {
	if r.number < 1 || r.number > maxNumber {
		return fmt.Errorf("%w: number %d: must be 1 to %d", ErrInvalid, r.number, maxNumber)
	}
	view, err := s.openView(session)
	if err != nil {
		return err
	}
	c := content{Through: r.through, Turns: r.turns}
	if r.state != nil {
		if c.State, err = json.Marshal(r.state); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	digest := jsonobject.Digest(raw)
	it := table.Item{Sort: recordName(r.kind, r.number), Attr: map[string]table.Value{digestAttr: digest}}
	if len(raw) <= maxInline {
		it.Attr[contentAttr] = string(raw)
	} else if it.Attr[objectAttr], err = s.putObject(ctx, session, raw); err != nil {
		return err
	}
	if err := s.markUse(ctx, view, r); err != nil {
		return err
	}
	_, err = view.Put(ctx, it, table.Absent())
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok {
		if conflict.Current != nil && conflict.Current.Attr[digestAttr] == digest {
			return nil
		}
		return ErrForked
	}
	return err
}

// putObject stores the JSON of a record as an object and returns the attribute that refers to it.
func (s *Store) putObject(ctx context.Context, session scope.Scope, raw []byte) (table.Value, error) {
	if s.objects.Bucket == nil {
		return nil, fmt.Errorf("%w: %d bytes: the largest record without Options.Objects has %d",
			ErrTooLarge, len(raw), maxInline)
	}
	return s.objects.Put(ctx, session, raw)
}

var errForeign = errors.New("it was not written by this package")

// newDamage returns an [ErrDamaged] about an item.
func newDamage(it table.Item, cause error) error {
	return fmt.Errorf("%w: the item %q: %w", ErrDamaged, it.Sort, cause)
}

func (s *Store) readRecord(ctx context.Context, view *table.View, it table.Item) (record, error) {
	raw, err := s.readContent(ctx, view, it)
	if err != nil {
		return record{}, err
	}
	r, err := decodeRecord(it.Sort, raw)
	if err != nil {
		return record{}, newDamage(it, err)
	}
	return r, nil
}

func (s *Store) readContent(ctx context.Context, view *table.View, it table.Item) ([]byte, error) {
	if inline, ok := it.Attr[contentAttr].(string); ok {
		return []byte(inline), nil
	}
	stored, ok := it.Attr[objectAttr].(string)
	if !ok {
		return nil, newDamage(it, errForeign)
	}
	raw, err := s.objects.Get(ctx, view.Scope(), stored)
	if errors.Is(err, jsonobject.ErrLost) {
		return nil, newDamage(it, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the item %q: %w", it.Sort, err)
	}
	return raw, nil
}

func decodeRecord(sort string, raw []byte) (r record, err error) {
	if r.kind, r.number, err = parseRecordName(sort); err != nil {
		return r, err
	}
	var c content
	if err := json.Unmarshal(raw, &c); err != nil {
		return r, err
	}
	if r.kind == turnKind && len(c.Turns) != 1 || c.Through < 0 || c.Through > maxNumber {
		return r, errForeign
	}
	r.through, r.turns, r.size = c.Through, c.Turns, len(raw)
	if c.State != nil {
		r.state = &tools.State{}
		if err := r.state.UnmarshalJSON(c.State); err != nil {
			return r, err
		}
	}
	return r, nil
}

// parseRecordName is the inverse of recordName.
func parseRecordName(sort string) (kind, int, error) {
	name, digits, _ := strings.Cut(sort, "#")
	k := kind(name + "#")
	n, err := strconv.Atoi(digits)
	if err != nil || recordName(k, n) != sort {
		return "", 0, errForeign
	}
	return k, n, nil
}
