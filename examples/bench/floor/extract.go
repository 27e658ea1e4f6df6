package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

const (
	maxTurns     = 10
	writeTimeout = 10 * time.Second
)

// extract is the handler of conversations.
type extract struct{ client *bedrockruntime.Client }

func (e extract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	s := &stream{w: w, rc: http.NewResponseController(w)}
	messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
		&types.ContentBlockMemberText{Value: "Identify the book on the uploaded photo."},
	}}}
	for range maxTurns {
		answer, results, err := e.ask(r.Context(), messages, s)
		if err != nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
			panic(http.ErrAbortHandler) // the client sees a broken stream
		}
		if len(results.Content) == 0 {
			_ = s.send(map[string]any{"type": "complete"}) // the client has gone if this fails
			return
		}
		messages = append(messages, answer, results)
	}
}

// ask makes one request to the model, sends what arrives, and makes the calls of the answer.
func (e extract) ask(ctx context.Context, messages []types.Message,
	s *stream) (answer, results types.Message, err error) {
	out, err := e.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("model"), Messages: messages, ToolConfig: &toolConfig,
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "You help a librarian to catalogue " +
			"one book."}},
	}, func(o *bedrockruntime.Options) { // streams of one client must not share the decoder: smithy-go issue 714
		o.Protocol = restjson1.New(schemas.AmazonBedrockFrontendService)
	})
	if err != nil {
		return answer, results, err
	}
	events := out.GetStream()
	defer func() { err = errors.Join(err, events.Close()) }()
	answer.Role, results.Role = types.ConversationRoleAssistant, types.ConversationRoleUser
	var text, input strings.Builder
	var use *types.ToolUseBlock
	for ev := range events.Events() {
		switch ev := ev.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			if start, ok := ev.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
				use = &types.ToolUseBlock{ToolUseId: start.Value.ToolUseId, Name: start.Value.Name}
				input.Reset()
			}
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch delta := ev.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				text.WriteString(delta.Value)
				err = s.send(map[string]any{"type": "text_delta", "delta": delta.Value})
			case *types.ContentBlockDeltaMemberToolUse:
				input.WriteString(aws.ToString(delta.Value.Input))
			}
		case *types.ConverseStreamOutputMemberContentBlockStop:
			if use == nil {
				answer.Content = append(answer.Content, &types.ContentBlockMemberText{Value: text.String()})
				break
			}
			err = call(use, input.String(), &answer, &results, s)
			use = nil
		case *types.ConverseStreamOutputMemberMetadata:
			err = s.send(map[string]any{"type": "usage", "input_tokens": ev.Value.Usage.InputTokens,
				"output_tokens": ev.Value.Usage.OutputTokens})
		}
		if err != nil {
			return answer, results, err
		}
	}
	return answer, results, events.Err()
}

// call makes a tool call.
func call(use *types.ToolUseBlock, input string, answer, results *types.Message, s *stream) error {
	var in struct{ Field, Value string }
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return err
	}
	use.Input = document.NewLazyDocument(map[string]any{"field": in.Field, "value": in.Value})
	answer.Content = append(answer.Content, &types.ContentBlockMemberToolUse{Value: *use})
	results.Content = append(results.Content, &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
		ToolUseId: use.ToolUseId,
		Content:   []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: in.Field + " is set"}},
	}})
	err := s.send(map[string]any{"type": "tool_call", "id": *use.ToolUseId, "name": *use.Name,
		"input": json.RawMessage(input)})
	return errors.Join(err, s.send(map[string]any{"type": "tool_result", "id": *use.ToolUseId, "name": *use.Name,
		"is_error": false}))
}

var toolConfig = types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
	Name: aws.String("set_field"), Description: aws.String("Set one field of the book's metadata."),
	InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
		"type":     "object",
		"required": []string{"field", "value"}, "properties": map[string]any{
			"field": map[string]any{"type": "string"}, "value": map[string]any{"type": "string"},
		},
	})},
}}}}

// stream writes events to a response.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	n   int
	buf []byte
}

func (s *stream) send(event map[string]any) error {
	raw, err := json.Marshal(event)
	if err != nil {
		return err
	}
	s.n++
	s.buf = append(append(append(s.buf[:0], "data: "...), raw...), '\n')
	s.buf = fmt.Appendf(s.buf, "id: %d\n\n", s.n)
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return err
	}
	return s.rc.Flush()
}
