package agenttest

import "encoding/json"

// recordingVersion is the version of the files that this package writes, and the only one that it reads.
const recordingVersion = 1

// recording is the content of a file: what a model was asked and what it answered, without secrets. In memory each
// request is whole; in the file one that goes on from an earlier one names it and holds only the messages that are
// new.
type recording struct {
	Version   int        `json:"agenttest"`
	Exchanges []exchange `json:"exchanges"`
}

type exchange struct {
	Request request   `json:"request"`
	Answer  []delta   `json:"answer"`
	Error   *failure  `json:"error,omitempty"`
	End     exitPoint `json:"end,omitempty"`
}

// exitPoint says that an answer did not come to its own end.
type exitPoint string

const (
	left      exitPoint = "left"      // the consumer left the loop
	cancelled exitPoint = "cancelled" // the context ended
)

type request struct {
	Continues int       `json:"continues,omitempty"` // the number of an exchange, from 1
	System    text      `json:"system,omitempty"`
	Tools     []spec    `json:"tools,omitempty"`
	MaxTokens int       `json:"max_tokens,omitempty"`
	Choice    *choice   `json:"choice,omitempty"`
	Cache     bool      `json:"cache,omitempty"`
	Messages  []message `json:"messages"`
}

type spec struct {
	Name        text            `json:"name"`
	Description text            `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Raw         text            `json:"raw,omitempty"` // in place of a schema that is no JSON
}

type choice struct {
	Any  bool `json:"any,omitempty"`
	Name text `json:"name,omitempty"`
}

type message struct {
	Role  text   `json:"role"`
	Parts []part `json:"parts"`
}

type part struct {
	Text      text       `json:"text,omitempty"`
	Use       *use       `json:"use,omitempty"`
	Result    *result    `json:"result,omitempty"`
	Image     *media     `json:"image,omitempty"`
	Document  *media     `json:"document,omitempty"`
	Video     *media     `json:"video,omitempty"`
	Reasoning *reasoning `json:"reasoning,omitempty"`
	Citation  *citation  `json:"citation,omitempty"`
}

type use struct {
	ID    text            `json:"id"`
	Name  text            `json:"name"`
	Input json.RawMessage `json:"input,omitempty"`
	Raw   text            `json:"raw,omitempty"` // in place of an input that is no JSON
}

type result struct {
	ID      text    `json:"id"`
	IsError bool    `json:"is_error,omitempty"`
	Summary text    `json:"summary,omitempty"`
	Blocks  []block `json:"blocks"`
}

type block struct {
	Text     text            `json:"text,omitempty"`
	JSON     json.RawMessage `json:"json,omitempty"`
	Raw      text            `json:"raw,omitempty"` // in place of JSON that is none
	Image    *media          `json:"image,omitempty"`
	Document *media          `json:"document,omitempty"`
	Video    *media          `json:"video,omitempty"`
}

// media is a digest of bytes, or the name of an object. Where the object is, and whose, differs from run to run.
type media struct {
	Format text   `json:"format"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int    `json:"size,omitempty"`
	Object text   `json:"object,omitempty"`
}

type reasoning struct {
	Text      text   `json:"text,omitempty"`
	Signature text   `json:"signature,omitempty"`
	Redacted  []byte `json:"redacted,omitempty"` // by the service; in base64
}

type citation struct {
	Text     text      `json:"text,omitempty"`
	Source   text      `json:"source,omitempty"`
	Title    text      `json:"title,omitempty"`
	Quotes   []text    `json:"quotes,omitempty"`
	Location *location `json:"location,omitempty"`
}

type location struct {
	Kind   text `json:"kind,omitempty"`
	Index  int  `json:"index,omitempty"`
	Start  int  `json:"start,omitempty"`
	End    int  `json:"end,omitempty"`
	URL    text `json:"url,omitempty"`
	Domain text `json:"domain,omitempty"`
}

// delta is one piece of an answer: one of its fields is set, or none for a piece of empty text.
type delta struct {
	Text           text       `json:"text,omitempty"`
	ReasoningDelta text       `json:"reasoning_delta,omitempty"`
	Reasoning      *reasoning `json:"reasoning,omitempty"`
	Citation       *citation  `json:"citation,omitempty"`
	Skipped        *text      `json:"skipped,omitempty"` // its kind
	UseDelta       *useDelta  `json:"use_delta,omitempty"`
	Use            *use       `json:"use,omitempty"`
	Usage          *usage     `json:"usage,omitempty"`
	Stop           *text      `json:"stop,omitempty"`
}

type useDelta struct {
	ID    text `json:"id"`
	Name  text `json:"name,omitempty"`
	Input text `json:"input"`
}

type usage struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read,omitempty"`
	CacheWrite int64 `json:"cache_write,omitempty"`
}

// failure is an [agent.ModelError], or another error, of which there is only the cause.
type failure struct {
	Code      text `json:"code,omitempty"`
	Message   text `json:"message,omitempty"`
	Retryable bool `json:"retryable,omitempty"`
	Cause     text `json:"cause,omitempty"`
}
