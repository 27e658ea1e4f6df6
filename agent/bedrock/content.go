package bedrock

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/strictjson"
	"github.com/carrel-go/carrel/tools"
)

// writeContent appends the blocks of one message. It rejects images, documents and videos unless the role is the
// user's, and reasoning unless it is the assistant's. The blocks point into the message.
func (w *writer) writeContent(blocks []types.ContentBlock, m agent.Message) ([]types.ContentBlock, error) {
	for _, p := range m.Parts {
		if m.Role != agent.RoleUser && (p.Image != nil || p.Document != nil || p.Video != nil) {
			return nil, newInvalidError("an image, a document or a video in a message of the %s", m.Role)
		}
		if p.Citation != nil {
			continue // the text that it supports is a separate part
		}
		if m.Role != agent.RoleAssistant && p.Reasoning != nil {
			return nil, newInvalidError("reasoning in a message of the %s", m.Role)
		}
		b, err := w.writePart(p)
		if err != nil {
			return nil, err
		}
		if b != nil {
			blocks = append(blocks, b)
		}
		blocks = append(blocks, w.following...)
		w.following = nil
	}
	return blocks, nil
}

// writePart returns the block of a part, or nil if the part does not have content to send. With an error the block is
// not valid.
func (w *writer) writePart(p agent.Part) (types.ContentBlock, error) {
	switch {
	case p.Use != nil:
		input, err := w.newDocument(p.Use.Input)
		if err != nil {
			return nil, newInvalidError("input of the call %q of the tool %q: %w", p.Use.ID, p.Use.Name, err)
		}
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: w.ids.mapCall(&p.Use.ID),
			Name:      &p.Use.Name,
			Input:     input,
		}}, nil
	case p.Result != nil:
		return w.writeResult(p.Result)
	case p.Image != nil:
		b, err := w.writeImage(p.Image)
		return &types.ContentBlockMemberImage{Value: b}, err
	case p.Document != nil:
		b, err := w.writeDocument(p.Document)
		return &types.ContentBlockMemberDocument{Value: b}, err
	case p.Video != nil:
		b, err := w.writeVideo(p.Video)
		return &types.ContentBlockMemberVideo{Value: b}, err
	case p.Reasoning != nil:
		return newReasoningContent(p.Reasoning), nil
	case !isBlank(p.Text):
		return &types.ContentBlockMemberText{Value: p.Text}, nil
	}
	return nil, nil
}

// newReasoningContent returns an unchanged block of reasoning. The service accepts a signature without text, and then
// requires an empty text. It refuses text without a signature, which is therefore not sent.
func newReasoningContent(r *agent.Reasoning) types.ContentBlock {
	switch {
	case len(r.Redacted) > 0:
		return &types.ContentBlockMemberReasoningContent{
			Value: &types.ReasoningContentBlockMemberRedactedContent{Value: r.Redacted},
		}
	case r.Signature != "":
		return &types.ContentBlockMemberReasoningContent{
			Value: &types.ReasoningContentBlockMemberReasoningText{
				Value: types.ReasoningTextBlock{Text: &r.Text, Signature: &r.Signature},
			},
		}
	}
	return nil
}

func (w *writer) writeResult(r *agent.ToolResult) (types.ContentBlock, error) {
	b := types.ToolResultBlock{ToolUseId: w.ids.mapResult(&r.ID)}
	if r.IsError && !w.o.NoResultStatus {
		b.Status = types.ToolResultStatusError
	}
	hasText, hasDocuments := false, false
	for _, block := range r.Blocks {
		c, err := w.writeResultBlock(r.ID, block)
		if err != nil {
			return nil, err
		}
		switch c.(type) {
		case nil:
			continue
		case *types.ToolResultContentBlockMemberText:
			hasText = true
		case *types.ToolResultContentBlockMemberDocument:
			hasDocuments = true
		}
		b.Content = append(b.Content, c)
	}
	switch {
	case hasDocuments && !hasText:
		b.Content = append(b.Content, newResultText(documentText))
	case len(b.Content) == 0:
		b.Content = append(b.Content, newResultText("(no output)"))
	}
	if r.IsError && w.o.NoResultStatus {
		b.Content = markFailed(b.Content)
	}
	return &types.ContentBlockMemberToolResult{Value: b}, nil
}

// writeResultBlock returns a block of the result of a call, or nil if the block is blank. It writes a JSON object as
// JSON, and every other JSON value as text, because the service refuses it as JSON. With an error the block is not
// valid.
func (w *writer) writeResultBlock(id string, block tools.Block) (types.ToolResultContentBlock, error) {
	switch {
	case block.Image != nil:
		image, err := w.writeImage(block.Image)
		return &types.ToolResultContentBlockMemberImage{Value: image}, err
	case block.Document != nil:
		doc, err := w.writeDocument(block.Document)
		if w.o.NoResultDocuments {
			w.following = append(w.following, &types.ContentBlockMemberDocument{Value: doc})
			return newResultText("See " + *doc.Name + "."), err
		}
		return &types.ToolResultContentBlockMemberDocument{Value: doc}, err
	case block.Video != nil:
		video, err := w.writeVideo(block.Video)
		w.following = append(w.following, &types.ContentBlockMemberVideo{Value: video})
		return newResultText(videoText), err
	case len(block.JSON) > 0:
		doc, err := w.newDocument(block.JSON)
		switch {
		case err == nil:
			return &types.ToolResultContentBlockMemberJson{Value: doc}, nil
		case strictjson.Check(block.JSON) != nil:
			return nil, newInvalidError("result of the call %q: %w", id, err)
		}
		return newResultText(string(block.JSON)), nil
	case isBlank(block.Text):
		return nil, nil
	}
	return newResultText(block.Text), nil
}

func newResultText(s string) types.ToolResultContentBlock {
	return &types.ToolResultContentBlockMemberText{Value: s}
}

// markFailed adds the word "Error:" to a result.
func markFailed(blocks []types.ToolResultContentBlock) []types.ToolResultContentBlock {
	const mark = "Error:"
	if t, ok := blocks[0].(*types.ToolResultContentBlockMemberText); ok {
		t.Value = mark + " " + t.Value
		return blocks
	}
	return slices.Insert(blocks, 0, newResultText(mark))
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// rawDocument is a document that is sent verbatim, without a second encoding or reordered keys. Its JSON must have been
// checked, because the SDK drops the errors of a document.
type rawDocument struct {
	document.Interface // nil; it makes rawDocument a document of the SDK
	json               json.RawMessage
}

func (r rawDocument) MarshalSmithyDocument() ([]byte, error) { return r.json, nil }

// newDocument returns the document of a JSON object; the service rejects other values as the input or result of a tool.
// It allocates for many documents at once.
func (w *writer) newDocument(j json.RawMessage) (document.Interface, error) {
	const many = 16
	if err := checkObject(j); err != nil {
		return nil, err
	}
	if len(w.objects) == cap(w.objects) {
		w.objects = make([]rawDocument, 0, many) // the earlier ones stay in their array
	}
	w.objects = append(w.objects, rawDocument{json: j})
	return &w.objects[len(w.objects)-1], nil
}

func checkObject(j json.RawMessage) error {
	if strictjson.CheckObject(j) != nil {
		return errNoObject
	}
	return nil
}
