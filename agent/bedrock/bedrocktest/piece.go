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

// player is one reply while it is played.
type player struct {
	*message
	r      *http.Request
	tools  bool
	reason string
	usage  agent.Usage
}

// errEnd ends a reply where it stands.
var errEnd = errors.New("bedrocktest: end of the stream")

// play writes a reply. Every error but errEnd means that the client has gone.
func play(w http.ResponseWriter, r *http.Request, pieces []Piece) {
	msg, err := startMessage(newEventWriter(w))
	if err != nil {
		return
	}
	p := &player{message: msg, r: r}
	for _, piece := range pieces {
		if piece.play(p) != nil {
			return
		}
	}
	reason := "end_turn"
	if p.tools {
		reason = "tool_use"
	}
	if p.stop(cmp.Or(p.reason, reason)) == nil {
		_ = p.metadata(p.usage)
	}
}

// Text is text, one delta a chunk. The chunks may split a rune. Neighbouring texts share a block.
func Text(chunks ...string) Piece {
	return Piece{func(p *player) error {
		for _, c := range chunks {
			if err := p.textDelta(c); err != nil {
				return err
			}
		}
		return nil
	}}
}

// ToolUse is one call of a tool, its input given as fragments: together they should be a JSON object, and need not.
func ToolUse(id, name string, fragments ...string) Piece {
	return Piece{func(p *player) error {
		p.tools = true
		if err := p.toolStart(id, name); err != nil {
			return err
		}
		for _, f := range fragments {
			if err := p.toolInput(f); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Stop sets the stop reason, in the service's words.
func Stop(reason string) Piece {
	return Piece{func(p *player) error { p.reason = reason; return nil }}
}

// Usage sets the token counts of the metadata, which are 0 without it.
func Usage(input, output int64) Piece {
	return Piece{func(p *player) error { p.usage = agent.Usage{Input: input, Output: output}; return nil }}
}

// Event is any event, with its payload in JSON: for interleaved blocks, unknown events, and orders that the
// service would never send. The other pieces know nothing of its blocks.
func Event(name, payload string) Piece {
	return Piece{func(p *player) error { return p.e.event(name, []byte(payload)) }}
}

// Exception ends the stream with one of the service's exceptions, such as "ModelStreamErrorException".
func Exception(name, message string) Piece {
	return Piece{func(p *player) error {
		if err := p.e.exception(lowerCamel(name), message); err != nil {
			return err
		}
		return errEnd
	}}
}

// Error ends the stream with an error frame, which carries a code and a message but no type.
func Error(code, message string) Piece {
	return Piece{func(p *player) error {
		if err := p.e.failure(code, message); err != nil {
			return err
		}
		return errEnd
	}}
}

// Damaged is a text delta whose checksum is wrong.
func Damaged(text string) Piece {
	return Piece{func(p *player) error {
		p.open, p.text = true, true
		return p.e.damaged("contentBlockDelta", p.delta(`"text":`, text, ``))
	}}
}

// Cut drops the connection. An open block stays open.
func Cut() Piece {
	return Piece{func(*player) error { panic(http.ErrAbortHandler) }}
}

// Truncate ends the response in good order, but without messageStop. An open block stays open.
func Truncate() Piece {
	return Piece{func(*player) error { return errEnd }}
}

// Stall sends nothing more until the client goes away.
func Stall() Piece {
	return Piece{func(p *player) error { <-p.r.Context().Done(); return errEnd }}
}

// Wait sends nothing more until the channel is closed or gives a value, or the client goes away.
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

// lowerCamel is the name of an exception as a member of the stream.
func lowerCamel(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}
