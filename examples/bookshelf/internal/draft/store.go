package draft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// ErrChanged is returned by [Store.Save] if the edits have changed since they were loaded.
var ErrChanged = errors.New("draft: the edits have changed")

var errForeign = errors.New("draft: the item \"draft\" was not written by this package")

const (
	sortKey      = "draft"
	revisionAttr = "revision" // counts the changes
	fieldsAttr   = "fields"   // JSON: the edits by field
)

// Edits are the fields that a person has typed. The zero Edits are those of a new session.
type Edits struct {
	fields   map[book.Field]Edit
	revision int64
	version  int64 // of the item; 0 if it does not exist
}

// Edit is the value that a person has typed into one field.
type Edit struct {
	Value    json.RawMessage `json:"value"` // null if the person has cleared the field, or if there is a Text
	Text     string          `json:"text,omitempty"`
	Revision int64           `json:"revision"`
}

// InForce returns the edits that the agent has not replaced. replaced is that of [Findings].
func (e Edits) InForce(replaced map[book.Field]int64) iter.Seq2[book.Field, Edit] {
	return func(yield func(book.Field, Edit) bool) {
		for _, f := range book.Fields() {
			if edit, ok := e.fields[f]; ok && edit.Revision > replaced[f] && !yield(f, edit) {
				return
			}
		}
	}
}

// Revision counts the changes of the edits.
func (e Edits) Revision() int64 { return e.revision }

// Store keeps the edits of each session in a table. It is safe for concurrent use.
type Store struct{ table *table.Table }

// NewStore returns a store. It returns an error if t is nil.
func NewStore(t *table.Table) (*Store, error) {
	if t == nil {
		return nil, errors.New("draft: the table must not be nil")
	}
	return &Store{t}, nil
}

// Load returns the edits of a session, as of the last Save.
func (s *Store) Load(ctx context.Context, session scope.Scope) (Edits, error) {
	view, err := s.table.In(session)
	if err != nil {
		return Edits{}, fmt.Errorf("draft: load: %w", err)
	}
	it, err := view.Get(ctx, sortKey)
	if errors.Is(err, table.ErrNotFound) {
		return Edits{}, nil
	}
	if err != nil {
		return Edits{}, fmt.Errorf("draft: load: %w", err)
	}
	return decodeEdits(it)
}

func decodeEdits(it table.Item) (Edits, error) {
	e := Edits{version: it.Version, fields: make(map[book.Field]Edit)}
	var isInt, isText bool
	var fields string
	e.revision, isInt = it.Attr[revisionAttr].(int64)
	fields, isText = it.Attr[fieldsAttr].(string)
	if !isInt || !isText || e.revision < 1 || strictjson.Decode([]byte(fields), &e.fields) != nil {
		return Edits{}, errForeign
	}
	for f, edit := range e.fields {
		update := book.Update{Field: f, Value: edit.Value}
		isText := edit.Text == "" || string(edit.Value) == "null"
		if edit.Revision < 1 || edit.Revision > e.revision || !isText || new(book.Metadata).Apply(update) != nil {
			return Edits{}, errForeign
		}
	}
	return e, nil
}

// Save stores edits that were made from loaded ones, on condition that no others have been stored since. Otherwise it
// returns [ErrChanged].
func (s *Store) Save(ctx context.Context, session scope.Scope, e Edits) error {
	view, err := s.table.In(session)
	if err != nil {
		return fmt.Errorf("draft: save: %w", err)
	}
	fields, err := json.Marshal(e.fields)
	if err != nil {
		return fmt.Errorf("draft: save: %w", err)
	}
	condition := table.Absent()
	if e.version > 0 {
		condition = table.Version(e.version)
	}
	it := table.Item{Sort: sortKey, Version: e.version, Attr: map[string]table.Value{
		revisionAttr: e.revision, fieldsAttr: string(fields),
	}}
	_, err = view.Put(ctx, it, condition)
	if _, ok := errors.AsType[*table.ConflictError](err); ok {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("draft: save: %w", err)
	}
	return nil
}

// Delete removes the edits of a session.
func (s *Store) Delete(ctx context.Context, session scope.Scope) error {
	view, err := s.table.In(session)
	if err != nil {
		return fmt.Errorf("draft: delete: %w", err)
	}
	it, err := view.Get(ctx, sortKey)
	if err == nil {
		err = view.Delete(ctx, sortKey, table.Version(it.Version))
	}
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return fmt.Errorf("draft: delete: %w", err)
	}
	return nil
}
