package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope/object"
)

// taggedBlock is a Block that marshals by its tags alone.
type taggedBlock Block

// MarshalJSON returns an object with one member: {"text":"…"}, {"json":…}, {"image":{…}}, {"document":{…}} or
// {"video":{…}}. It returns an error if more than one field is set. The meaning of JSON is kept, its white space is
// not.
func (b Block) MarshalJSON() ([]byte, error) {
	switch n := b.countKinds(); {
	case n > 1:
		return nil, fmt.Errorf("tools: marshal block: %w", kindsError(n))
	case n == 0:
		return []byte(`{"text":""}`), nil
	case b.JSON != nil && len(b.JSON) == 0:
		return nil, errors.New("tools: marshal block: json is empty")
	}
	return json.Marshal(taggedBlock(b))
}

// UnmarshalJSON reads what MarshalJSON returns and rejects everything else: no member or several, unknown members, null
// in place of a text or a medium. It doesn't check the content: see [Result.Check].
func (b *Block) UnmarshalJSON(raw []byte) error {
	doc, err := strictjson.ParseEnvelope(raw)
	if err != nil {
		return fmt.Errorf("tools: unmarshal block: %w", err)
	}
	if doc.Len() != 1 {
		return fmt.Errorf("tools: unmarshal block: %w", kindsError(doc.Len()))
	}
	var got taggedBlock
	if err := doc.Decode(&got); err != nil {
		return fmt.Errorf("tools: unmarshal block: %w", err)
	}
	for name, value := range doc.Members() {
		if value.Type() == strictjson.Null && name != "json" {
			return fmt.Errorf("tools: unmarshal block: %s is null", name)
		}
	}
	*b = Block(got)
	return nil
}

// countKinds returns the number of fields that are set.
func (b Block) countKinds() int {
	n := 0
	for _, isSet := range [...]bool{b.Text != "", b.JSON != nil, b.Image != nil, b.Document != nil, b.Video != nil} {
		if isSet {
			n++
		}
	}
	return n
}

func kindsError(n int) error {
	return fmt.Errorf("holds %d things, must hold exactly one of text, json, image, document and video", n)
}

// Resolve returns r with each unresolved object (see [object.Ref.UnmarshalJSON]) resolved through the first of the
// roots that contains it. It returns an error that wraps [object.ErrOutside] if none does. The blocks of r do not
// change.
func (r Result) Resolve(roots ...*object.Root) (Result, error) {
	r.Blocks = slices.Clone(r.Blocks)
	for i := range r.Blocks {
		b := &r.Blocks[i]
		for _, m := range []**Media{&b.Image, &b.Document, &b.Video} {
			if *m == nil {
				continue
			}
			resolved, err := (*m).Resolve(roots...)
			if err != nil {
				return Result{}, fmt.Errorf("tools: resolve block %d: %w", i, err)
			}
			*m = &resolved
		}
	}
	return r, nil
}

// Resolve returns m with its object, if it has one, resolved as in [Result.Resolve].
func (m Media) Resolve(roots ...*object.Root) (Media, error) {
	if m.Object.IsZero() {
		return m, nil
	}
	var err error
	_, m.Object, err = object.Resolve(m.Object, roots...)
	return m, err
}
