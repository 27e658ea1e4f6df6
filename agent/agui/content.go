package agui

import (
	"encoding/json"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/internal/runlog"
)

// The values of the events that AG-UI does not have.
type (
	citation struct {
		Text     string         `json:"text,omitempty"`
		Source   string         `json:"source,omitempty"`
		Title    string         `json:"title,omitempty"`
		Quotes   []string       `json:"quotes,omitempty"`
		Location agent.Location `json:"location,omitzero"`
	}
	progress struct {
		Call  string          `json:"toolCallId"`
		Value json.RawMessage `json:"value"`
	}
)

type resultInfo struct {
	Summary   string `json:"summary,omitempty"`
	IsError   bool   `json:"isError,omitempty"`
	Truncated bool   `json:"truncated,omitempty"` // the log does not have the output
}

// resultContent returns the content of a result, its texts and JSON in lines, and its metadata. Of a medium the content
// has the format alone.
func resultContent(e *runlog.Event) (content string, meta any, err error) {
	meta = map[string]resultInfo{namespace: {e.Summary, e.IsError, e.Truncated}}
	blocks, err := e.Blocks()
	if err != nil {
		return "", nil, err
	}
	if len(blocks) == 0 {
		return e.Summary, meta, nil
	}
	lines := make([]string, len(blocks))
	for i, b := range blocks {
		switch {
		case b.JSON != nil:
			lines[i] = string(b.JSON)
		case b.Image != nil:
			lines[i] = "[image " + b.Image.Format + "]"
		case b.Document != nil:
			lines[i] = "[document " + b.Document.Format + "]"
		case b.Video != nil:
			lines[i] = "[video " + b.Video.Format + "]"
		default:
			lines[i] = b.Text
		}
	}
	return strings.Join(lines, "\n"), meta, nil
}
