package bedrock

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/internal/strictjson"
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
		blocks = append(blocks, w.beside...)
		w.beside = nil
	}
	return blocks, nil
}

// writePart returns the block of a part, or nil if the part does not have content to send.
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
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberImage{Value: b}, nil
	case p.Document != nil:
		b, err := w.writeDocument(p.Document)
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberDocument{Value: b}, nil
	case p.Video != nil:
		b, err := w.writeVideo(p.Video)
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberVideo{Value: b}, nil
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

// writeResult writes a JSON object as JSON, and every other JSON value as text, because the service refuses it as JSON.
func (w *writer) writeResult(r *agent.ToolResult) (types.ContentBlock, error) {
	b := types.ToolResultBlock{ToolUseId: w.ids.mapResult(&r.ID)}
	if r.Result.IsError && !w.o.NoResultStatus {
		b.Status = types.ToolResultStatusError
	}
	said, documents := false, false
	text := func(s string) {
		said = true
		b.Content = append(b.Content, &types.ToolResultContentBlockMemberText{Value: s})
	}
	for _, block := range r.Result.Blocks {
		switch {
		case block.Image != nil:
			image, err := w.writeImage(block.Image)
			if err != nil {
				return nil, err
			}
			b.Content = append(b.Content, &types.ToolResultContentBlockMemberImage{Value: image})
		case block.Document != nil:
			doc, err := w.writeDocument(block.Document)
			if err != nil {
				return nil, err
			}
			if w.o.NoResultDocuments {
				w.beside = append(w.beside, &types.ContentBlockMemberDocument{Value: doc})
				text("See " + *doc.Name + ".")
				continue
			}
			documents = true
			b.Content = append(b.Content, &types.ToolResultContentBlockMemberDocument{Value: doc})
		case block.Video != nil:
			video, err := w.writeVideo(block.Video)
			if err != nil {
				return nil, err
			}
			w.beside = append(w.beside, &types.ContentBlockMemberVideo{Value: video})
			text(besideVideo)
		case len(block.JSON) == 0:
			if !isBlank(block.Text) {
				text(block.Text)
			}
		default:
			if doc, err := w.newDocument(block.JSON); err == nil {
				b.Content = append(b.Content, &types.ToolResultContentBlockMemberJson{Value: doc})
			} else if strictjson.Check(block.JSON) == nil {
				text(string(block.JSON))
			} else {
				return nil, newInvalidError("result of the call %q: %w", r.ID, err)
			}
		}
	}
	if documents && !said {
		text(besideDocuments)
	}
	if len(b.Content) == 0 {
		text("(no output)")
	}
	if r.Result.IsError && w.o.NoResultStatus {
		b.Content = markFailed(b.Content)
	}
	return &types.ContentBlockMemberToolResult{Value: b}, nil
}

// markFailed adds the word "Error:" to a result.
func markFailed(blocks []types.ToolResultContentBlock) []types.ToolResultContentBlock {
	const mark = "Error:"
	if t, ok := blocks[0].(*types.ToolResultContentBlockMemberText); ok {
		t.Value = mark + " " + t.Value
		return blocks
	}
	return slices.Insert(blocks, 0, types.ToolResultContentBlock(&types.ToolResultContentBlockMemberText{Value: mark}))
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
