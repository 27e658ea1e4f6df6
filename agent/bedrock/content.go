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

// content appends the blocks of one message. What one side cannot say is refused: images, documents and videos are the
// user's, reasoning is the assistant's. The blocks point into the message.
func (w *writer) content(blocks []types.ContentBlock, m agent.Message) ([]types.ContentBlock, error) {
	for _, p := range m.Parts {
		if m.Role != agent.RoleUser && (p.Image != nil || p.Document != nil || p.Video != nil) {
			return nil, invalid("an image, a document or a video in a message of the %s", m.Role)
		}
		if p.Citation != nil {
			continue // the text that it supports is a part of its own, see the package's documentation
		}
		if m.Role != agent.RoleAssistant && p.Reasoning != nil {
			return nil, invalid("reasoning in a message of the %s", m.Role)
		}
		b, err := w.part(p)
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

// part writes one block; nil, if there is nothing to say.
func (w *writer) part(p agent.Part) (types.ContentBlock, error) {
	switch {
	case p.Use != nil:
		input, err := w.object(p.Use.Input)
		if err != nil {
			return nil, invalid("input of the call %q of the tool %q: %w", p.Use.ID, p.Use.Name, err)
		}
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: w.ids.call(&p.Use.ID),
			Name:      &p.Use.Name,
			Input:     input,
		}}, nil
	case p.Result != nil:
		return w.toolResult(p.Result)
	case p.Image != nil:
		b, err := w.image(p.Image)
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberImage{Value: b}, nil
	case p.Document != nil:
		b, err := w.document(p.Document)
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberDocument{Value: b}, nil
	case p.Video != nil:
		b, err := w.video(p.Video)
		if err != nil {
			return nil, err
		}
		return &types.ContentBlockMemberVideo{Value: b}, nil
	case p.Reasoning != nil:
		return reasoning(p.Reasoning), nil
	case !blank(p.Text):
		return &types.ContentBlockMemberText{Value: p.Text}, nil
	}
	return nil, nil
}

// reasoning sends a block back as it came. The signature is what the service knows it by: it takes a signature
// without text, and then wants the empty text; it refuses text without a signature, so that is not sent.
func reasoning(r *agent.Reasoning) types.ContentBlock {
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

// toolResult writes a JSON object as JSON; every other JSON value goes as text, since the service refuses it.
func (w *writer) toolResult(r *agent.ToolResult) (types.ContentBlock, error) {
	b := types.ToolResultBlock{ToolUseId: w.ids.result(&r.ID)}
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
			image, err := w.image(block.Image)
			if err != nil {
				return nil, err
			}
			b.Content = append(b.Content, &types.ToolResultContentBlockMemberImage{Value: image})
		case block.Document != nil:
			doc, err := w.document(block.Document)
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
			video, err := w.video(block.Video)
			if err != nil {
				return nil, err
			}
			w.beside = append(w.beside, &types.ContentBlockMemberVideo{Value: video})
			text(besideVideo)
		case len(block.JSON) == 0:
			if !blank(block.Text) {
				text(block.Text)
			}
		default:
			if doc, err := w.object(block.JSON); err == nil {
				b.Content = append(b.Content, &types.ToolResultContentBlockMemberJson{Value: doc})
			} else if strictjson.Check(block.JSON) == nil {
				text(string(block.JSON))
			} else {
				return nil, invalid("result of the call %q: %w", r.ID, err)
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

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// raw is a document that is sent as it stands: no second encoding, no reordering of keys. Only checkObject and
// [Options.check] let one pass, after its JSON has been checked, because the SDK drops the errors of a document.
type raw struct {
	document.Interface // nil; it makes raw one of the SDK's documents
	json               json.RawMessage
}

func (r raw) MarshalSmithyDocument() ([]byte, error) { return r.json, nil }

// object returns the document of a JSON object; the service rejects other values as the input or result of a tool.
// It allocates for many documents at once.
func (w *writer) object(j json.RawMessage) (document.Interface, error) {
	const many = 16
	if err := checkObject(j); err != nil {
		return nil, err
	}
	if len(w.objects) == cap(w.objects) {
		w.objects = make([]raw, 0, many) // those before stay where they are
	}
	w.objects = append(w.objects, raw{json: j})
	return &w.objects[len(w.objects)-1], nil
}

func checkObject(j json.RawMessage) error {
	if strictjson.CheckObject(j) != nil {
		return errNoObject
	}
	return nil
}
