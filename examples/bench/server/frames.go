package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// A piece of text is stampSize bytes: the time at which it was sent, in microseconds, between fixed characters.
const (
	stampSize  = 20
	stampStart = "t="
	stampEnd   = ". "
	digits     = stampSize - len(stampStart) - len(stampEnd)
)

// appendStamp appends a piece of text that was sent at t.
func appendStamp(b []byte, t time.Time) []byte {
	b = append(b, stampStart...)
	return append(fmt.Appendf(b, "%0*d", digits, t.UnixMicro()), stampEnd...)
}

// readStamp returns the next piece of text in b and what follows it.
func readStamp(b []byte) (sent time.Time, rest []byte, ok bool) {
	i := bytes.Index(b, []byte(stampStart))
	if i < 0 || len(b) < i+stampSize {
		return time.Time{}, b, false
	}
	var n int64
	for _, c := range b[i+len(stampStart) : i+len(stampStart)+digits] {
		n = 10*n + int64(c-'0')
	}
	return time.UnixMicro(n), b[i+stampSize:], true
}

// frame is an event of ConverseStream's event stream. A frame of text is sent many times, with a new stamp.
type frame struct {
	bytes []byte
	stamp int // offset of the digits; 0 if it does not have text
}

// newFrame returns the frame of an event.
func newFrame(name, payload string) frame {
	var b bytes.Buffer
	m := eventstream.Message{Payload: []byte(payload)}
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", name},
		{":content-type", "application/json"}} {
		m.Headers.Set(h[0], eventstream.StringValue(h[1]))
	}
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		panic(err) // our own events
	}
	f := frame{bytes: b.Bytes()}
	if i := bytes.Index(f.bytes, []byte(stampStart)); i >= 0 {
		f.stamp = i + len(stampStart)
	}
	return f
}

// setStamp writes the time into a copy of the frame of text, with its checksum.
func (f frame) setStamp(b []byte, t time.Time) []byte {
	b = append(b[:0], f.bytes...)
	n := t.UnixMicro()
	for i := f.stamp + digits - 1; i >= f.stamp; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	end := len(b) - crc32.Size
	binary.BigEndian.PutUint32(b[end:], crc32.ChecksumIEEE(b[:end]))
	return b
}
