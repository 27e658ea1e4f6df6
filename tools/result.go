package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Block is one piece of a [Result]: exactly one of its fields is set.
type Block struct {
	Text     string
	JSON     json.RawMessage
	Image    *Media
	Document *Media
}

// Result is what a call gave: blocks for the model, and one line for a person.
type Result struct {
	Blocks []Block
	// Summary is one line for a person. Where a tool leaves it empty it is the beginning of the first block.
	Summary string
	// IsError says that the call failed, and the blocks say why.
	IsError bool
}

// Summarizer may be implemented by a tool's Out to say its Result's Summary.
type Summarizer interface{ Summary() string }

// summaryRunes is how much of a block a Summary shows that no tool has written.
const summaryRunes = 80

// encode turns what a tool's function returned into a Result.
func encode[Out any](out Out) (Result, error) {
	var res Result
	switch v := any(out).(type) {
	case Result:
		if err := v.check(); err != nil {
			return Result{}, err
		}
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return Result{}, errors.New("the text is not UTF-8")
		}
		res.Blocks = []Block{{Text: v}}
	default:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false) // for a model, not for a page: \u003c costs tokens
		if err := enc.Encode(out); err != nil {
			return Result{}, err
		}
		res.Blocks = []Block{{JSON: bytes.TrimSuffix(buf.Bytes(), []byte("\n"))}}
	}
	if s, ok := any(out).(Summarizer); ok {
		res.Summary = s.Summary()
	} else if s, ok := any(&out).(Summarizer); ok {
		res.Summary = s.Summary()
	}
	return res, nil
}

// check refuses a Result that could not be sent to a model as it stands.
func (r Result) check() error {
	if !utf8.ValidString(r.Summary) {
		return errors.New("the summary is not UTF-8")
	}
	for i, b := range r.Blocks {
		switch {
		case b.JSON != nil && b.Text != "":
			return fmt.Errorf("block %d holds both text and JSON", i)
		case b.JSON != nil && !json.Valid(b.JSON):
			return fmt.Errorf("block %d is not JSON", i)
		case !utf8.Valid(b.JSON) || !utf8.ValidString(b.Text):
			return fmt.Errorf("block %d is not UTF-8", i)
		}
	}
	return nil
}

// summary is the first line of the first block, cut to a length that fits a list.
func (r Result) summary() string {
	for _, b := range r.Blocks {
		s := b.Text
		if b.JSON != nil {
			s = string(b.JSON)
		}
		line, _, more := strings.Cut(strings.TrimSpace(s), "\n")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if cut, ok := clip(line, summaryRunes); ok || more {
			line = cut + "…"
		}
		return line
	}
	return "(no output)"
}

// clip returns at most n runes of s, and whether something was cut off.
func clip(s string, n int) (string, bool) {
	for i := range s {
		if n == 0 {
			return s[:i], true
		}
		n--
	}
	return s, false
}
