package library

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	rowPrefix  = "book#"
	rowEnd     = "book$" // follows every key with rowPrefix
	notePrefix = "accept#"
	noteEnd    = "accept$"
	dataAttr   = "book"
)

// MaxVersions is the largest number of versions of a book.
const MaxVersions = 100

// Book is an accepted book.
type Book struct {
	// ID is the id of the upload.
	ID       string
	Metadata book.Metadata
	// Version is the number of the current version, from 1. Versions are all of them, oldest first.
	Version  int
	Versions []Version
	// Shared reports whether this is the copy that the tenant shares. Otherwise it is the user's own book, and
	// SharedVersion is the version that the tenant shares, or 0.
	Shared        bool
	SharedVersion int
	// Accepted is the time of the accept. Changed is that of the current version.
	Accepted, Changed time.Time

	photo  photo
	stored int64 // the version of the item
}

// Version is one version of a book.
type Version struct {
	Number int
	Time   time.Time
	// By is the id of the user who has shared the version. It is empty for versions of the user's own book, and for those
	// that were shared before it was recorded.
	By string

	object object.Ref // the metadata; unresolved
}

// photo is the picture of a book. Its ref is unresolved.
type photo struct {
	Ref  object.Ref `json:"ref,omitzero"`
	Type string     `json:"type,omitempty"` // image/png, image/jpeg or image/webp, from the content
	Size int64      `json:"size,omitempty"`
}

// storedBook is the JSON of a row.
type storedBook struct {
	Metadata json.RawMessage `json:"metadata"`
	Accepted time.Time       `json:"accepted"`
	Photo    photo           `json:"photo,omitzero"`
	Versions []storedVersion `json:"versions"` // of a shared copy: those that were shared
}

type storedVersion struct {
	Number int        `json:"version"`
	Time   time.Time  `json:"time"`
	Object object.Ref `json:"object"`
	By     string     `json:"by,omitempty"`
}

// item returns the row of a book.
func (b *Book) item() (table.Item, error) {
	data := storedBook{Metadata: b.Metadata.Canonical(), Accepted: b.Accepted, Photo: b.photo}
	for _, v := range b.Versions {
		data.Versions = append(data.Versions, storedVersion{v.Number, v.Time, v.object, v.By})
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return table.Item{}, fmt.Errorf("library: encode row: %w", err)
	}
	return table.Item{Sort: rowPrefix + b.ID, Version: b.stored, Attr: map[string]table.Value{dataAttr: string(raw)}}, nil
}

// parseRow reads a row.
func parseRow(it table.Item) (Book, error) {
	text, ok := it.Attr[dataAttr].(string)
	id, isRow := strings.CutPrefix(it.Sort, rowPrefix)
	if !ok || !isRow {
		return Book{}, fmt.Errorf("%w %q", errDamaged, it.Sort)
	}
	var data storedBook
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		return Book{}, fmt.Errorf("%w %q: %w", errDamaged, it.Sort, err)
	}
	meta, err := book.DecodeStored(data.Metadata)
	if err == nil && len(data.Versions) == 0 {
		err = errors.New("it does not have a version")
	}
	if err != nil {
		return Book{}, fmt.Errorf("%w %q: %w", errDamaged, it.Sort, err)
	}
	b := Book{ID: id, Metadata: meta, Accepted: data.Accepted, photo: data.Photo, stored: it.Version}
	for _, v := range data.Versions {
		b.Versions = append(b.Versions, Version{v.Number, v.Time, v.By, v.Object})
	}
	last := b.Versions[len(b.Versions)-1]
	b.Version, b.Changed = last.Number, last.Time
	return b, nil
}

// version returns the version with that number.
func (b *Book) version(n int) (Version, error) {
	for _, v := range b.Versions {
		if v.Number == n {
			return v, nil
		}
	}
	return Version{}, ErrNotFound
}
