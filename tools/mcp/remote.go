package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/tools"
)

// Remote is a server whose tools have been imported. It is safe for concurrent use.
//
// All callers share its connection, and the server does not learn for whom a call is. If a server must tell callers
// apart, import it once for each, with a Client that has their credentials, and choose between the sets with
// [tools.Dynamic].
type Remote struct {
	o         ImportOptions
	set       tools.Set
	client    *sdk.Client
	transport *limitedTransport
	sdk       *sdk.StreamableClientTransport

	life    context.Context // of the calls
	end     context.CancelFunc
	session chan *sdk.ClientSession // holds the session, or nil until the next call connects
}

var errClosed = errors.New("mcp: the remote server is closed")

func newRemote(endpoint string, o ImportOptions) *Remote {
	r := &Remote{o: o, transport: newLimitedTransport(o), session: make(chan *sdk.ClientSession, 1)}
	r.session <- nil
	r.life, r.end = context.WithCancel(context.Background())
	r.client = sdk.NewClient(&sdk.Implementation{Name: "carrel", Version: "v0"}, &sdk.ClientOptions{
		Capabilities:   &sdk.ClientCapabilities{}, // no roots, sampling or elicitation
		MultiRoundTrip: &sdk.MultiRoundTripOptions{Disabled: true},
	})
	r.sdk = &sdk.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: r.transport.client(o.Client), MaxRetries: -1, DisableStandaloneSSE: true,
	}
	return r
}

// Tools returns the imported tools. To combine them with local tools of the same names, set ImportOptions.Prefix: a
// [tools.Set] does not accept two tools with one name.
func (r *Remote) Tools() tools.Set { return r.set }

// Close ends the calls in flight, and returns when the connections are closed. Further calls fail.
func (r *Remote) Close() error {
	r.end()
	session := <-r.session
	r.session <- nil
	if session != nil {
		_ = session.Close() // its answer does not matter
	}
	r.transport.close()
	return nil
}

// connect returns the session. It connects if necessary.
func (r *Remote) connect(ctx context.Context) (*sdk.ClientSession, error) {
	var session *sdk.ClientSession
	select {
	case session = <-r.session:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { r.session <- session }()
	if r.life.Err() != nil {
		return nil, errClosed
	}
	if session != nil {
		return session, nil
	}
	made, err := r.client.Connect(ctx, r.sdk, nil)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", r.o.Name, err)
	}
	session = made
	return session, nil
}

// drop forgets a session that has ended, so that the next call connects again.
func (r *Remote) drop(ended *sdk.ClientSession) {
	session := <-r.session
	if session == ended {
		session = nil
	}
	r.session <- session
	_ = ended.Close()
}

// newHandler returns the function of the tool with this name at the server.
func (r *Remote) newHandler(name string) tools.Handler {
	return func(ctx context.Context, c *tools.Call) (tools.Result, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the response, if the server has not
		defer context.AfterFunc(r.life, cancel)()
		trace := new(callTrace)
		ctx = context.WithValue(ctx, traceKey{}, trace)
		res, err := r.call(ctx, trace, &sdk.CallToolParams{Name: name, Arguments: c.Args()})
		if trace.isTooLarge.Load() {
			return r.failedResult(fmt.Sprintf("The answer has more than %d bytes. Ask for less.", r.o.MaxResult)), nil
		}
		if message, ok := errorMessage(err); ok {
			return r.failedResult(message), nil
		}
		if err != nil {
			return tools.Result{}, fmt.Errorf("mcp: call of %s at %s: %w", name, r.o.Name, err)
		}
		return r.decodeResult(res)
	}
}

// errorMessage returns the message of an error that the server has answered with.
func errorMessage(err error) (string, bool) {
	e, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || e.Code == codeRejected || errors.Is(err, sdk.ErrConnectionClosed) {
		return "", false
	}
	return e.Message, true
}

// codeRejected is the code of the SDK's error for a message that its transport did not send.
const codeRejected = -32005

// call makes a call. It connects again if the session has ended, and repeats the call if the server has not received
// it.
func (r *Remote) call(ctx context.Context, trace *callTrace, p *sdk.CallToolParams) (*sdk.CallToolResult, error) {
	for isRetry := false; ; isRetry = true {
		session, err := r.connect(ctx)
		if err != nil {
			return nil, err
		}
		trace.isSent.Store(false)
		res, err := session.CallTool(ctx, p)
		isMissing, isClosed := errors.Is(err, sdk.ErrSessionMissing), errors.Is(err, sdk.ErrConnectionClosed)
		if isMissing || isClosed {
			r.drop(session)
			if !isRetry && (isMissing || !trace.isSent.Load()) {
				continue
			}
		}
		return res, err
	}
}

// answer is the result of a call as the model reads it: one JSON value that says which server its texts are from.
type answer struct {
	Server     string   `json:"server"`
	Text       []string `json:"text,omitempty"`
	Structured any      `json:"structured,omitempty"`
	Error      string   `json:"error,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// maxMessage is the largest size of an error message that the model reads, in bytes.
const maxMessage = 1000

func (r *Remote) failedResult(message string) tools.Result {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	return r.encodeAnswer(answer{Error: strings.ToValidUTF8(message, "\ufffd")}, nil, true)
}

// decodeResult returns a server's result as data: its texts are values of one JSON object, and images are blocks.
func (r *Remote) decodeResult(res *sdk.CallToolResult) (tools.Result, error) {
	if res.NeedsInput() {
		return r.failedResult("The tool asks for input, which is not supported here."), nil
	}
	a := answer{Structured: res.StructuredContent}
	var images []tools.Block
	for _, c := range res.Content {
		switch c := c.(type) {
		case *sdk.TextContent:
			if !repeats(c.Text, a.Structured) {
				a.Text = append(a.Text, c.Text)
			}
		case *sdk.ImageContent:
			format, ok := strings.CutPrefix(c.MIMEType, "image/")
			m := tools.Media{Format: format, Bytes: c.Data}
			if ok && m.Block().Image != nil && m.Block().Check() == nil {
				images = append(images, m.Block())
			} else {
				a.Notes = append(a.Notes, "an image was left out")
			}
		case *sdk.EmbeddedResource:
			if c.Resource != nil && c.Resource.Text != "" {
				a.Text = append(a.Text, c.Resource.Text)
			} else {
				a.Notes = append(a.Notes, "a file was left out")
			}
		case *sdk.ResourceLink:
			a.Notes = append(a.Notes, "a link was left out")
		default:
			a.Notes = append(a.Notes, "a part that is not supported was left out")
		}
	}
	return r.encodeAnswer(a, images, res.IsError), nil
}

// repeats reports whether a text is the structured content once more, as the protocol recommends.
func repeats(text string, structured any) bool {
	if structured == nil {
		return false
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return false
	}
	a, err := json.Marshal(v)
	b, err2 := json.Marshal(structured)
	return err == nil && err2 == nil && string(a) == string(b)
}

func (r *Remote) encodeAnswer(a answer, images []tools.Block, isError bool) tools.Result {
	a.Server = r.o.Name
	raw, err := json.Marshal(a)
	if err != nil { // not of values that have been decoded
		return tools.Result{Blocks: []tools.Block{{Text: "The answer cannot be shown."}}, IsError: true}
	}
	// The summary is for people: it does not repeat words of the server.
	return tools.Result{
		Blocks: append([]tools.Block{{JSON: raw}}, images...), IsError: isError,
		Summary: fmt.Sprintf("answer of %s, %d bytes", r.o.Name, len(raw)),
	}
}
