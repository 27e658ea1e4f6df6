package aisdk

import (
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
)

// Dialect translates the log of one run to the UI message stream. A reader begins with the first event. The response
// needs the header of [SetHeader], and a stream that cannot reach its end must be aborted. [Handler] does both.
func Dialect() replay.Dialect {
	return replay.Dialect{FromStart: true, New: func() func(replay.Event) ([]sse.Event, error) {
		t := newTranslator()
		t.beginRun(runPlace{isLast: true})
		return t.translate
	}}
}
