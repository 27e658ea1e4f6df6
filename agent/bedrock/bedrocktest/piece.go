package bedrocktest

import (
	"cmp"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/agent"
)

// Piece is a part of a [Reply].
type Piece struct{ play func(*player) }

// player is a reply in progress.
type player struct {
	*messageWriter
	e        *eventWriter
	r        *http.Request
	tools    bool
	hasEnded bool // without messageStop
	reason   string
	usage    agent.Usage
}

func playReply(w http.ResponseWriter, r *http.Request, pieces []Piece) {
	e := newEventWriter(w)
	p := &player{messageWriter: startMessage(e), e: e, r: r}
	for _, piece := range pieces {
		piece.play(p)
		if p.hasEnded || e.err != nil {
			return
		}
	}
	reason := "end_turn"
	if p.tools {
		reason = "tool_use"
	}
	p.stopMessage(cmp.Or(p.reason, reason), p.usage)
}

// Text is a text, one delta per chunk. The chunks may split a rune. Neighbouring texts share a block.
func Text(chunks ...string) Piece {
	return Piece{func(p *player) {
		for _, c := range chunks {
			p.writeText(textBlock, c)
		}
	}}
}

// CitedText is a block of text with citations, whose Text is ignored. As in the service's answers, the citations come
// first, one delta each, and then the text, one delta per chunk.
func CitedText(citations []agent.Citation, chunks ...string) Piece {
	return Piece{func(p *player) {
		p.closeBlock()
		for _, c := range citations {
			p.writeCitation(c)
		}
		for _, c := range chunks {
			p.writeText(citedBlock, c)
		}
	}}
}

// ToolUse is one call of a tool. The fragments of its input are usually a JSON object when joined, but may be invalid.
func ToolUse(id, name string, fragments ...string) Piece {
	return Piece{func(p *player) {
		p.tools = true
		p.startTool(id, name)
		for _, f := range fragments {
			p.writeCallInput(p.open, f)
		}
	}}
}

// Reasoning is a separate block of reasoning, one delta per chunk, and then its signature, unless it is empty.
func Reasoning(signature string, chunks ...string) Piece {
	return Piece{func(p *player) {
		p.closeBlock()
		p.openBlock(reasoningBlock)
		for _, c := range chunks {
			p.writeReasoning(p.open, "text", c)
		}
		if signature != "" {
			p.writeReasoning(p.open, "signature", signature)
		}
	}}
}

// Redacted is a block of encrypted reasoning.
func Redacted(data []byte) Piece {
	return Piece{func(p *player) { p.writeRedacted(data) }}
}

// Interleave plays pieces of text, reasoning and tool use at the same time, each in a separate block, one event in
// turn. Other pieces, such as Stop, Usage and Wait, must stand beside the Interleave, not within it.
func Interleave(pieces ...Piece) Piece {
	return Piece{func(p *player) {
		p.closeBlock()
		var lanes [][]func() // the events of each piece
		longest := 0
		for _, piece := range pieces {
			var lane []func()
			alone := *p
			alone.messageWriter = newMessage(func(event string, payload []byte) {
				lane = append(lane, func() { p.emit(event, payload) })
			}, p.next)
			piece.play(&alone)
			alone.closeBlock()
			p.next, p.tools = alone.next, alone.tools
			lanes = append(lanes, lane)
			longest = max(longest, len(lane))
		}
		for i := range longest {
			for _, lane := range lanes {
				if i < len(lane) {
					lane[i]()
				}
			}
		}
	}}
}

// Stop sets the stop reason, in the service's words.
func Stop(reason string) Piece {
	return Piece{func(p *player) { p.reason = reason }}
}

// Usage sets the token counts of the metadata. The default is zero; those of the prompt cache are absent if they are
// zero.
func Usage(u agent.Usage) Piece {
	return Piece{func(p *player) { p.usage = u }}
}

// Event is any event, with its payload in JSON: for unknown events, and for orders that the service never sends. The
// other pieces do not take its blocks into account.
func Event(name, payload string) Piece {
	return Piece{func(p *player) { p.e.sendEvent(name, []byte(payload)) }}
}

// Exception ends the stream with one of the service's exceptions, such as "ModelStreamErrorException".
func Exception(name, message string) Piece {
	return Piece{func(p *player) {
		p.e.sendException(exceptionMember(name), message)
		p.hasEnded = true
	}}
}

// Damaged is a text delta whose checksum is wrong.
func Damaged(text string) Piece {
	return Piece{func(p *player) {
		p.openBlock(textBlock)
		p.e.sendFrame(newEvent("contentBlockDelta", deltaPayload(p.open, `"text":`, text, ``)), true)
	}}
}

// Cut drops the connection. An open block stays open.
func Cut() Piece {
	return Piece{func(*player) { panic(http.ErrAbortHandler) }}
}

// Truncate ends the response normally, but without messageStop. An open block stays open.
func Truncate() Piece {
	return Piece{func(p *player) { p.hasEnded = true }}
}

// Stall sends nothing more until the client goes away.
func Stall() Piece { return Wait(nil) }

// Wait pauses the reply until the channel is closed or yields a value, or the client goes away.
func Wait(until <-chan struct{}) Piece {
	return Piece{func(p *player) {
		select {
		case <-until:
		case <-p.r.Context().Done():
			p.hasEnded = true
		}
	}}
}

// exceptionMember returns the name of an exception as a member of the stream.
func exceptionMember(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}
