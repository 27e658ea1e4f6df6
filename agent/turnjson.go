package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// taggedTurn is a Turn that marshals by its tags alone.
type taggedTurn Turn

// MarshalJSON returns
//
//	{"messages":[{"role":"user","parts":[{"text":"…"}]},
//	  {"role":"assistant","parts":[{"use":{"id":"…","name":"…","input":{…}}}]},
//	  {"role":"user","parts":[{"result":{"id":"…","blocks":[{"json":…}],"summary":"…","is_error":true}}]}]}
//
// The other parts are
//
//	{"image":{"format":"png","object":{"bucket":"…","key":"…","etag":"…"}}}
//	{"document":{"format":"pdf","bytes":"base64"}}
//	{"video":{"format":"mp4","object":{"bucket":"…","key":"…"}}}
//	{"citation":{"text":"…","source":"…","title":"…","quotes":["…"],
//	             "location":{"kind":"page","index":0,"start":1,"end":2}}}
//	{"reasoning":{"text":"…","signature":"…","model":"…"}}   {"reasoning":{"redacted":"base64","model":"…"}}
//
// It returns an error unless the turn is complete, for example if a call lacks a result. The JSON of arguments and
// results keeps its meaning, but not its white space. Bytes grow by a third in base64, so large media should be
// objects.
func (t Turn) MarshalJSON() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("agent: marshal turn: %w", err)
	}
	return json.Marshal(taggedTurn(t))
}

// UnmarshalJSON reads what MarshalJSON returns and rejects everything else, such as unknown fields and turns that are
// not complete. Its objects are unresolved, and a run rejects them until [Turn.Resolve] has found them in a Root. On an
// error t is unchanged.
func (t *Turn) UnmarshalJSON(raw []byte) error {
	var got taggedTurn
	if err := decodeObject(raw, &got); err != nil {
		return fmt.Errorf("agent: unmarshal turn: %w", err)
	}
	if err := Turn(got).check(); err != nil {
		return fmt.Errorf("agent: unmarshal turn: %w", err)
	}
	*t = Turn(got)
	return nil
}

// decodeObject reads one JSON object strictly.
func decodeObject(raw []byte, into any) error {
	doc, err := strictjson.ParseEnvelope(raw)
	if err != nil {
		return err
	}
	return doc.Decode(into)
}

// Resolve returns t with each object of a decoded turn resolved through the first of the roots that contains it. It
// returns an error that wraps [object.ErrOutside] if none does. The messages of t do not change.
func (t Turn) Resolve(roots ...*object.Root) (Turn, error) {
	t.Messages = slices.Clone(t.Messages)
	for i, m := range t.Messages {
		var err error
		if t.Messages[i], err = m.resolve(roots); err != nil {
			return Turn{}, fmt.Errorf("agent: resolve turn: message %d: %w", i, err)
		}
	}
	return t, nil
}

func (m Message) resolve(roots []*object.Root) (Message, error) {
	m.Parts = slices.Clone(m.Parts)
	for i := range m.Parts {
		if err := m.Parts[i].resolve(roots); err != nil {
			return Message{}, fmt.Errorf("part %d: %w", i, err)
		}
	}
	return m, nil
}

// resolve replaces what p points to.
func (p *Part) resolve(roots []*object.Root) error {
	if p.Result != nil {
		got, err := p.Result.Resolve(roots...)
		p.Result = &ToolResult{ID: p.Result.ID, Result: got}
		return err
	}
	for _, m := range []**tools.Media{&p.Image, &p.Document, &p.Video} {
		if *m == nil {
			continue
		}
		got, err := (*m).Resolve(roots...)
		if err != nil {
			return err
		}
		*m = &got
	}
	return nil
}

// isSameJSON reports whether a and b have the same JSON, as messages do before and after they are stored.
func isSameJSON(a, b Message) bool {
	one, err := json.Marshal(a)
	if err != nil {
		return false
	}
	other, err := json.Marshal(b)
	return err == nil && bytes.Equal(one, other)
}
