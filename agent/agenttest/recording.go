package agenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"
)

// recordingVersion is the version of the files that this package writes, and the only one that it reads.
const recordingVersion = 2

// recordedHeaders are the headers of a response that adapters need. No other header is recorded.
var recordedHeaders = []string{"Content-Type", "Retry-After", "X-Amzn-Errortype"}

type recording struct {
	Version   int         `json:"agenttest"`
	Exchanges []*exchange `json:"exchanges"`
}

// exchange is a request and its response, without secrets.
type exchange struct {
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Request  wireBody          `json:"request"`
	Status   int               `json:"status"`
	Header   map[string]string `json:"header"`
	Response wireBody          `json:"response"`
	// Cut reports whether the response was not read to its end.
	Cut bool `json:"cut,omitempty"`
}

// wireBody is a body as it is sent. In a file it is {"json": …}, {"text": "…"} or {"base64": "…"}.
type wireBody []byte

type encodedBody struct {
	JSON   json.RawMessage `json:"json,omitempty"`
	Text   string          `json:"text,omitempty"`
	Base64 []byte          `json:"base64,omitempty"`
}

func (b wireBody) isBinary() bool { return !utf8.Valid(b) }

func (b wireBody) MarshalJSON() ([]byte, error) {
	var out encodedBody
	switch {
	case b.isBinary():
		out.Base64 = b
	case json.Valid(b):
		out.JSON = json.RawMessage(b)
	default:
		out.Text = string(b)
	}
	return encodeJSON(out, "")
}

func (b *wireBody) UnmarshalJSON(raw []byte) error {
	var in encodedBody
	if err := decodeStrict(raw, &in); err != nil {
		return err
	}
	switch {
	case len(in.JSON) > 0:
		*b = compactJSON(in.JSON)
	case in.Text != "":
		*b = wireBody(in.Text)
	default:
		*b = in.Base64
	}
	return nil
}

func encodeRecording(exchanges []*exchange) ([]byte, error) {
	for i, e := range exchanges {
		for _, body := range []wireBody{[]byte(e.Path), e.Request, e.Response} {
			if kind := findSecret(body); kind != "" {
				return nil, fmt.Errorf("exchange %d contains %s: remove it by RecordingOptions.Redact", i+1, kind)
			}
		}
	}
	return encodeJSON(recording{recordingVersion, exchanges}, "  ")
}

func decodeRecording(b []byte) ([]*exchange, error) {
	var r recording
	if err := decodeStrict(b, &r); err != nil {
		return nil, err
	}
	if r.Version != recordingVersion {
		return nil, fmt.Errorf("unsupported version %d: must be %d", r.Version, recordingVersion)
	}
	for i, e := range r.Exchanges {
		if e == nil || e.Status < 100 || e.Status > 999 {
			return nil, fmt.Errorf("exchange %d: missing or invalid status", i+1)
		}
	}
	return r.Exchanges, nil
}

func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}

func decodeStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}

// compactJSON returns valid JSON without white space between its tokens, and everything else unchanged.
func compactJSON(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}

var secretPatterns = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"an AWS access key id", regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`)},
	{"a signed URL", regexp.MustCompile(`(?i)X-Amz-(?:Signature|Security-Token)(?:=|%3D|\\u003d)[A-Za-z0-9%/+_-]{16}`)},
	{"an AWS session token", regexp.MustCompile(`\b(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9/+_=-]{60}`)},
	{"a bearer token", regexp.MustCompile(`(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{16}`)},
	{"a JSON web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
}

// findSecret returns the kind of the first secret in b, or an empty string.
func findSecret(b []byte) string {
	for _, s := range secretPatterns {
		if s.pattern.Match(b) {
			return s.kind
		}
	}
	return ""
}
