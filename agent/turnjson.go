package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// The versions of a turn's JSON. A turn is written in the first one that can hold it, so that what an older program
// could read it still can.
const (
	turnPlain = 1 // text, calls, results of text and JSON
	turnRich  = 2 // and images, documents, videos, reasoning and citations
)

type turnJSON[P any] struct {
	Version  int              `json:"v"`
	Messages []messageJSON[P] `json:"messages"`
}

type messageJSON[P any] struct {
	Role  Role `json:"role"`
	Parts []P  `json:"parts"`
}

type plainPart struct {
	Text   string                  `json:"text,omitempty"`
	Use    *useJSON                `json:"use,omitempty"`
	Result *resultJSON[plainPiece] `json:"result,omitempty"`
}

type richPart struct {
	Text      string                 `json:"text,omitempty"`
	Use       *useJSON               `json:"use,omitempty"`
	Result    *resultJSON[richPiece] `json:"result,omitempty"`
	Image     *mediaJSON             `json:"image,omitempty"`
	Document  *mediaJSON             `json:"document,omitempty"`
	Video     *mediaJSON             `json:"video,omitempty"`
	Reasoning *reasoningJSON         `json:"reasoning,omitempty"`
	Citation  *citationJSON          `json:"citation,omitempty"`
}

type useJSON struct {
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type resultJSON[B any] struct {
	ID      string `json:"id"`
	IsError bool   `json:"is_error,omitempty"`
	Summary string `json:"summary,omitempty"`
	Blocks  []B    `json:"blocks"`
}

type plainPiece struct {
	Text *string         `json:"text,omitempty"`
	JSON json.RawMessage `json:"json,omitempty"`
}

type richPiece struct {
	Text     *string         `json:"text,omitempty"`
	JSON     json.RawMessage `json:"json,omitempty"`
	Image    *mediaJSON      `json:"image,omitempty"`
	Document *mediaJSON      `json:"document,omitempty"`
	Video    *mediaJSON      `json:"video,omitempty"`
}

type mediaJSON struct {
	Format string          `json:"format"`
	Bytes  []byte          `json:"bytes,omitempty"`
	Object json.RawMessage `json:"object,omitempty"`
}

type reasoningJSON struct {
	Text      string `json:"text,omitempty"`
	Signature string `json:"signature,omitempty"`
	Redacted  []byte `json:"redacted,omitempty"`
	Model     string `json:"model,omitempty"`
}

type citationJSON struct {
	Text     string        `json:"text,omitempty"`
	Source   string        `json:"source,omitempty"`
	Title    string        `json:"title,omitempty"`
	Quotes   []string      `json:"quotes,omitempty"`
	Location *locationJSON `json:"location,omitempty"`
}

type locationJSON struct {
	Kind   string `json:"kind,omitempty"`
	Index  int    `json:"index"`
	Start  int    `json:"start"`
	End    int    `json:"end"`
	URL    string `json:"url,omitempty"`
	Domain string `json:"domain,omitempty"`
}

// Encode writes the turn as
//
//	{"v":1,"messages":[{"role":"user","parts":[{"text":"…"}]},
//	  {"role":"assistant","parts":[{"use":{"id":"…","name":"…","input":{…}}}]},
//	  {"role":"user","parts":[{"result":{"id":"…","blocks":[{"json":…}],"summary":"…","is_error":true}}]}]}
//
// and with "v":2 where it holds one of these parts, the first three of which may be blocks as well:
//
//	{"image":{"format":"png","object":{"bucket":"…","key":"…","etag":"…"}}}
//	{"document":{"format":"pdf","bytes":"base64"}}
//	{"video":{"format":"mp4","object":{"bucket":"…","key":"…"}}}
//	{"citation":{"text":"…","source":"…","title":"…","quotes":["…"],"location":{"kind":"page","index":0,"start":1,"end":2}}}
//	{"reasoning":{"text":"…","signature":"…","model":"…"}}   {"reasoning":{"redacted":"base64","model":"…"}}
//
// Bytes are written as they are, a third longer, in each turn that shows them, so what is large should be an object. A
// turn that is not whole, a call without its result above all, is an error, and so is an object outside s and the other
// scopes: that of the tenant's shared data, if the run could read it. The JSON of arguments and results keeps its
// meaning; white space within it goes.
func (t Turn) Encode(s scope.Scope, others ...scope.Scope) ([]byte, error) {
	b, err := t.encode(encoder{scopes: append([]scope.Scope{s}, others...)})
	if err != nil {
		return nil, fmt.Errorf("agent: encode turn: %w", err)
	}
	return b, nil
}

// DecodeTurn decodes what [Turn.Encode] returns and rejects everything else: another version (*[VersionError]), unknown
// fields, a turn that is not whole, an object that lies outside root and the other roots ([object.ErrOutside]). A nil
// root holds no objects. The JSON of arguments and results that an earlier version has stored is repaired if services
// would refuse it: half surrogate pairs become U+FFFD, and of members with one name the last stays.
func DecodeTurn(b []byte, root *object.Root, others ...*object.Root) (Turn, error) {
	t, err := decodeTurn(b, present(root, others))
	if err != nil {
		return Turn{}, fmt.Errorf("agent: decode turn: %w", err)
	}
	return t, nil
}

// MarshalJSON is [Turn.Encode] for turns that name no objects: one that does is an error, since it takes a scope to
// say whose they may be.
func (t Turn) MarshalJSON() ([]byte, error) {
	b, err := t.encode(encoder{})
	if err != nil {
		return nil, fmt.Errorf("agent: marshal turn: %w", err)
	}
	return b, nil
}

// UnmarshalJSON is [DecodeTurn] for turns that name no objects. On an error t is unchanged.
func (t *Turn) UnmarshalJSON(b []byte) error {
	got, err := decodeTurn(b, nil)
	if err != nil {
		return fmt.Errorf("agent: unmarshal turn: %w", err)
	}
	*t = got
	return nil
}

func (t Turn) encode(e encoder) ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	w := turnJSON[richPart]{Version: turnPlain, Messages: make([]messageJSON[richPart], len(t.Messages))}
	for i, m := range t.Messages {
		var err error
		if w.Messages[i], err = e.message(m); err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
	}
	if e.rich {
		w.Version = turnRich
	}
	return json.Marshal(w)
}

// present returns the roots that are not nil.
func present(root *object.Root, others []*object.Root) []*object.Root {
	return slices.DeleteFunc(append([]*object.Root{root}, others...), func(r *object.Root) bool { return r == nil })
}

func decodeTurn(b []byte, roots []*object.Root) (Turn, error) {
	doc, version, err := parseVersioned(repairStored(b))
	if err != nil {
		return Turn{}, err
	}
	var w turnJSON[richPart]
	switch version {
	case turnPlain:
		var plain turnJSON[plainPart]
		if err = doc.Decode(&plain); err == nil {
			w = turnJSON[richPart]{Messages: make([]messageJSON[richPart], len(plain.Messages))}
			for i, m := range plain.Messages {
				w.Messages[i].Role = m.Role
				for _, p := range m.Parts {
					w.Messages[i].Parts = append(w.Messages[i].Parts, p.rich())
				}
			}
		}
	case turnRich:
		err = doc.Decode(&w)
	default:
		err = &VersionError{Version: version, Supported: []int{turnPlain, turnRich}}
	}
	if err != nil {
		return Turn{}, err
	}
	t := Turn{Messages: make([]Message, len(w.Messages))}
	for i, m := range w.Messages {
		if t.Messages[i], err = decodeMessage(m, roots); err != nil {
			return Turn{}, fmt.Errorf("message %d: %w", i, err)
		}
	}
	if version == turnRich && !t.rich() {
		return Turn{}, fmt.Errorf("version %d, want %d, which can hold all of it", turnRich, turnPlain)
	}
	return t, t.check()
}

// rich reports whether t holds what the first version does not have.
func (t Turn) rich() bool {
	for _, m := range t.Messages {
		if slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Reasoning != nil || p.Citation != nil }) {
			return true
		}
		for range media(m.Parts) {
			return true
		}
	}
	return false
}

// parseVersioned reads one JSON object and its version, 0 if it has none.
func parseVersioned(b []byte) (doc strictjson.Value, version int, err error) {
	if doc, err = strictjson.ParseObject(b); err != nil {
		return doc, 0, fmt.Errorf("it is %w", err)
	}
	v, ok := doc.Get("v")
	if !ok {
		return doc, 0, nil
	}
	if version, err = strconv.Atoi(string(v.Raw())); err != nil {
		return doc, 0, fmt.Errorf("version %.20s is not an integer", v.Raw())
	}
	return doc, version, nil
}

// rich is p in the form of the later version.
func (p plainPart) rich() richPart {
	r := richPart{Text: p.Text, Use: p.Use}
	if p.Result != nil {
		r.Result = &resultJSON[richPiece]{ID: p.Result.ID, IsError: p.Result.IsError, Summary: p.Result.Summary}
		for _, b := range p.Result.Blocks {
			r.Result.Blocks = append(r.Result.Blocks, richPiece{Text: b.Text, JSON: b.JSON})
		}
	}
	return r
}
