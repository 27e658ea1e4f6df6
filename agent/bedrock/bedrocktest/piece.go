package bedrocktest

import (
	"cmp"
	"errors"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
)

// Piece is a part of a [Reply].
type Piece struct{ play func(*player) error }

// player is a reply in progress.
type player struct {
	*messageWriter
	e      *eventWriter
	r      *http.Request
	tools  bool
	reason string
	usage  agent.Usage
}

// errEnd ends a reply after the current piece.
var errEnd = errors.New("bedrocktest: end of the stream")

// playReply writes a reply. All errors except errEnd mean that the client has gone.
func playReply(w http.ResponseWriter, r *http.Request, pieces []Piece) {
	e := newEventWriter(w)
	msg, err := startMessage(e)
	if err != nil {
		return
	}
	p := &player{messageWriter: msg, e: e, r: r}
	for _, piece := range pieces {
		if piece.play(p) != nil {
			return
		}
	}
	reason := "end_turn"
	if p.tools {
		reason = "tool_use"
	}
	if p.stopMessage(cmp.Or(p.reason, reason)) == nil {
		_ = p.writeMetadata(p.usage)
	}
}

// Text is a text, one delta per chunk. The chunks may split a rune. Neighbouring texts share a block.
func Text(chunks ...string) Piece {
	return Piece{func(p *player) error {
		for _, c := range chunks {
			if err := p.writeText(c); err != nil {
				return err
			}
		}
		return nil
	}}
}

// ToolUse is one call of a tool. The fragments of its input are usually a JSON object when joined, but may be invalid.
func ToolUse(id, name string, fragments ...string) Piece {
	return Piece{func(p *player) error {
		p.tools = true
		if err := p.startTool(id, name); err != nil {
			return err
		}
		for _, f := range fragments {
			if err := p.writeToolInput(f); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Reasoning is a separate block of reasoning, one delta per chunk, and then its signature, unless it is empty.
func Reasoning(signature string, chunks ...string) Piece {
	return Piece{func(p *player) error {
		if err := p.closeBlock(); err != nil {
			return err
		}
		for _, c := range chunks {
			if err := p.writeReasoning("text", c); err != nil {
				return err
			}
		}
		if signature == "" {
			return nil
		}
		return p.writeReasoning("signature", signature)
	}}
}

// Redacted is a block of encrypted reasoning.
func Redacted(data []byte) Piece {
	return Piece{func(p *player) error { return p.writeRedacted(data) }}
}

// Interleave plays pieces of text, reasoning and tool use at the same time, each in a separate block, one event in
// turn.
func Interleave(pieces ...Piece) Piece {
	return Piece{func(p *player) error {
		if err := p.closeBlock(); err != nil {
			return err
		}
		type sent struct {
			event   string
			payload []byte
		}
		var lanes [][]sent
		for _, piece := range pieces {
			var lane []sent
			alone := *p
			alone.messageWriter = newMessage(func(event string, payload []byte) error {
				lane = append(lane, sent{event, payload})
				return nil
			}, p.next)
			if err := piece.play(&alone); err != nil {
				return err
			}
			if err := alone.closeBlock(); err != nil {
				return err
			}
			p.next, p.tools = alone.next, alone.tools
			lanes = append(lanes, lane)
		}
		for more := true; more; {
			more = false
			for i, lane := range lanes {
				if len(lane) == 0 {
					continue
				}
				if err := p.emit(lane[0].event, lane[0].payload); err != nil {
					return err
				}
				lanes[i], more = lane[1:], true
			}
		}
		return nil
	}}
}

// Stop sets the stop reason, in the service's words.
func Stop(reason string) Piece {
	return Piece{func(p *player) error { p.reason = reason; return nil }}
}

// Usage sets the token counts of the metadata. The default is zero; those of the prompt cache are absent if they are
// zero.
func Usage(u agent.Usage) Piece {
	return Piece{func(p *player) error { p.usage = u; return nil }}
}

// Event is any event, with its payload in JSON: for unknown events, and for orders that the service never sends. The
// other pieces do not take its blocks into account.
func Event(name, payload string) Piece {
	return Piece{func(p *player) error { return p.e.sendEvent(name, []byte(payload)) }}
}

// Exception ends the stream with one of the service's exceptions, such as "ModelStreamErrorException".
func Exception(name, message string) Piece {
	return Piece{func(p *player) error {
		if err := p.e.sendException(exceptionMember(name), message); err != nil {
			return err
		}
		return errEnd
	}}
}

// Damaged is a text delta whose checksum is wrong.
func Damaged(text string) Piece {
	return Piece{func(p *player) error {
		if err := p.openBlock(aText); err != nil {
			return err
		}
		return p.e.sendDamaged("contentBlockDelta", deltaPayload(p.open, `"text":`, text, ``))
	}}
}

// Cut drops the connection. An open block stays open.
func Cut() Piece {
	return Piece{func(*player) error { panic(http.ErrAbortHandler) }}
}

// Truncate ends the response normally, but without messageStop. An open block stays open.
func Truncate() Piece {
	return Piece{func(*player) error { return errEnd }}
}

// Stall sends nothing more until the client goes away.
func Stall() Piece { return Wait(nil) }

// Wait pauses the reply until the channel is closed or yields a value, or the client goes away.
func Wait(until <-chan struct{}) Piece {
	return Piece{func(p *player) error {
		select {
		case <-until:
			return nil
		case <-p.r.Context().Done():
			return errEnd
		}
	}}
}

// exceptionMember returns the name of an exception as a member of the stream.
func exceptionMember(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}
