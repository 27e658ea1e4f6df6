package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// Block is one piece of a [Result]: exactly one of its fields is set. The zero Block is an empty text.
type Block struct {
	Text string `json:"text,omitempty"`
	// JSON is one value, without duplicate names and at most 500 levels deep.
	JSON     json.RawMessage `json:"json,omitempty"`
	Image    *Media          `json:"image,omitempty"`
	Document *Media          `json:"document,omitempty"`
	Video    *Media          `json:"video,omitempty"`
}

// Result is the result of a call: blocks for the model, and one line for a person. It marshals to
//
//	{"blocks":[{"text":"…"},{"json":…},{"image":{…}}],"summary":"…","is_error":true}
//
// where empty members are left out. [Block] and [Media] have the form of their members. An object of a decoded Result
// is unresolved: see [Result.Resolve].
type Result struct {
	Blocks []Block `json:"blocks,omitempty"`
	// Summary is one line for a person. Default: the beginning of the first block.
	Summary string `json:"summary,omitempty"`
	// IsError reports whether the call failed. The blocks then explain why.
	IsError bool `json:"is_error,omitempty"`
}

// Summarizer may be implemented by the result type of a tool's function. Its text becomes the Summary of the [Result].
type Summarizer interface{ Summary() string }

// summaryRunes is the length of a default Summary.
const summaryRunes = 80

// encodeResult returns the Result for the value that a tool's function returned.
func encodeResult[Out any](out Out, nils *nilFiller) (Result, error) {
	if s, ok := any(out).(string); ok {
		if !utf8.ValidString(s) {
			return Result{}, errors.New("the text is not UTF-8")
		}
		return Result{Blocks: []Block{{Text: s}}}, nil
	}
	return encodeValue(out, nils)
}

// encodeValue is encodeResult for values that are not a plain text.
func encodeValue[Out any](out Out, nils *nilFiller) (Result, error) {
	var res Result
	switch v := dereference(out).(type) {
	case Result:
		return v.repairAndCheck()
	case Block:
		res.Blocks = []Block{v}
	case []Block:
		res.Blocks = v
	case Media:
		res.Blocks = []Block{v.Block()}
	case []Media:
		for _, m := range v {
			res.Blocks = append(res.Blocks, m.Block())
		}
	default:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false) // the reader is a model, and \u003c costs tokens
		if err := enc.Encode(nils.fill(out)); err != nil {
			return Result{}, err
		}
		res.Blocks = []Block{{JSON: bytes.TrimSuffix(buf.Bytes(), []byte("\n"))}}
	}
	if s, ok := any(out).(Summarizer); ok {
		if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || !v.IsNil() { // the JSON of a nil pointer is null
			res.Summary = s.Summary()
		}
	} else if s, ok := any(&out).(Summarizer); ok {
		res.Summary = s.Summary()
	}
	return res, nil
}

// dereference returns the content that v points to, so that it is not sent as JSON, and every other value unchanged.
func dereference(v any) any {
	switch p := v.(type) {
	case *Result:
		if p != nil {
			return *p
		}
	case *Block:
		if p != nil {
			return *p
		}
	case *Media:
		if p != nil {
			return *p
		}
	}
	return v
}

// Check returns an error if r is not valid for a model. [Tool.Call] checks its results.
func (r Result) Check() error {
	if !utf8.ValidString(r.Summary) {
		return errors.New("the summary is not UTF-8")
	}
	for i, b := range r.Blocks {
		if err := b.Check(); err != nil {
			return fmt.Errorf("block %d %w", i, err)
		}
	}
	return nil
}

// Check returns an error unless b is one text, JSON value, image, document or video. The error continues a phrase such
// as "block 2 …".
func (b Block) Check() error {
	var media error
	switch {
	case b.Image != nil:
		media = b.Image.check(imageFormats)
	case b.Document != nil:
		media = b.Document.check(documentFormats)
	case b.Video != nil:
		media = b.Video.check(videoFormats)
	}
	switch {
	case b.countKinds() > 1:
		return kindsError(b.countKinds())
	case media != nil:
		return fmt.Errorf("is not a valid medium: %w", media)
	case !utf8.ValidString(b.Text):
		return errors.New("is not UTF-8")
	}
	if b.JSON != nil {
		if err := strictjson.Check(b.JSON); err != nil {
			return fmt.Errorf("is %w", err)
		}
	}
	return nil
}

// repairAndCheck returns r, with its JSON repaired if necessary, or the error of Check.
func (r Result) repairAndCheck() (Result, error) {
	err := r.Check()
	if err != nil {
		r = r.repairText()
		err = r.Check()
	}
	if err != nil {
		return Result{}, err
	}
	return r, nil
}

// repairText returns r with U+FFFD in place of each defect in the text of its JSON: bytes that are not UTF-8, and
// escapes that are half of a surrogate pair. The blocks of r do not change.
func (r Result) repairText() Result {
	copied := false
	for i, b := range r.Blocks {
		repaired := strictjson.Repair(b.JSON)
		if len(repaired) == 0 || &repaired[0] == &b.JSON[0] {
			continue
		}
		if !copied {
			r.Blocks, copied = slices.Clone(r.Blocks), true
		}
		r.Blocks[i].JSON = repaired
	}
	return r
}

// makeSummary returns the first line of the first block that is not blank, truncated for a list.
func (r Result) makeSummary() string {
	for _, b := range r.Blocks {
		s := b.Text
		switch {
		case b.JSON != nil:
			s = string(b.JSON)
		case b.Image != nil:
			s = b.Image.describe("image")
		case b.Document != nil:
			s = b.Document.describe("document")
		case b.Video != nil:
			s = b.Video.describe("video")
		}
		line, _, more := strings.Cut(strings.TrimSpace(s), "\n")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if cut, ok := truncateRunes(line, summaryRunes); ok || more {
			line = cut + "…"
		}
		return line
	}
	return "(no output)"
}

// truncateRunes returns at most n runes of s, and whether s is longer.
func truncateRunes(s string, n int) (string, bool) {
	for i := range s {
		if n == 0 {
			return s[:i], true
		}
		n--
	}
	return s, false
}
