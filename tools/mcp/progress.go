package mcp

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// progressInterval is the shortest time between two notifications. Those in between are dropped.
	progressInterval = 10 * time.Millisecond
	// progressMax is the largest size of a message in bytes.
	progressMax = 1 << 10
)

// newProgress returns the function that sends the progress of a call, or nil if the client does not want it.
//
// A value whose JSON is an object with the number "progress", and perhaps the number "total" and the text "message", is
// sent as these. Any other value is sent as the message, and the progress is the number of values.
func newProgress(ctx context.Context, req *sdk.CallToolRequest) func(any) {
	token := req.Params.GetProgressToken()
	if token == nil {
		return nil
	}
	p := &progress{ctx: ctx, session: req.Session, token: token, last: -1}
	return p.send
}

type progress struct {
	ctx     context.Context
	session *sdk.ServerSession
	token   any

	mu     sync.Mutex
	values float64
	last   float64 // the progress that was sent last: it must increase
	sent   time.Time
}

func (p *progress) send(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		return
	}
	var stated struct {
		Progress *float64 `json:"progress"`
		Total    float64  `json:"total"`
		Message  string   `json:"message"`
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values++
	if json.Unmarshal(raw, &stated) != nil || stated.Progress == nil {
		stated.Progress, stated.Total, stated.Message = &p.values, 0, string(raw)
	}
	now := time.Now()
	if *stated.Progress <= p.last || now.Sub(p.sent) < progressInterval {
		return
	}
	if len(stated.Message) > progressMax {
		stated.Message = strings.ToValidUTF8(stated.Message[:progressMax], "") + "…"
	}
	p.last, p.sent = *stated.Progress, now
	// A client that has gone does not stop the tool here: its context does.
	_ = p.session.NotifyProgress(p.ctx, &sdk.ProgressNotificationParams{
		ProgressToken: p.token, Progress: *stated.Progress, Total: stated.Total, Message: stated.Message,
	})
}
