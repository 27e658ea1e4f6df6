package objecttools

import (
	"errors"
	"io"
)

// csvReader reads CSV like encoding/csv without LazyQuotes, with four differences: line ends within quotes are kept, a
// malformed record is reported and skipped up to the end of its line, the memory for a record is bounded, and records
// may end with CR alone.
//
// encoding/csv can't replace it. It buffers whole records, so for a quote that is never closed it allocates 440 MB and
// holds 180 MB for 64 MiB of input. Its offsets are those of decoded text, which differ from the offsets in a file of
// UTF-16. It also does not say where the next record begins after an error.
type csvReader struct {
	t          *textReader
	comma, eol byte
	keep       int // the bytes of field data to keep of each record
	state      csvState
	sawCR      bool  // the last byte was a CR that may be part of a line end
	quote      int64 // the offset of the last opening quote
	rec        csvRecord
}

type csvState int

const (
	csvFieldStart csvState = iota
	csvBare
	csvQuoted
	csvQuoteSeen // within quotes: the end of the field, or the first of two quotes
	csvMalformed
)

func (f *file) newCSVReader(t *textReader, keep int) *csvReader {
	return &csvReader{t: t, comma: f.format.comma, eol: f.format.eol, keep: keep, rec: csvRecord{enc: f.enc}}
}

// next reads the next record into c.rec. It returns io.EOF after the last record, and errPartEnd if the part ends
// within the record, which begins at c.rec.off.
func (c *csvReader) next() error {
	t := c.t
	c.state, c.sawCR = csvFieldStart, false
	c.rec.reset(t.off)
	for {
		for i := 0; i < len(t.buf); i++ {
			if i = c.consumeRun(i); i == len(t.buf) {
				break
			}
			if !c.consume(t.buf[i], i) {
				continue
			}
			t.skip(i + 1)
			if !c.rec.isBlankLine() {
				c.rec.end = t.off
				return nil
			}
			c.state = csvFieldStart
			c.rec.reset(t.off)
			i = -1
		}
		t.skip(len(t.buf))
		switch err := t.fill(); {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return err
		case !t.final:
			return errPartEnd
		default:
			return c.endFile()
		}
	}
}

// consumeRun consumes ordinary bytes of a field from byte i of the buffer on, and returns the index after them.
func (c *csvReader) consumeRun(i int) int {
	from, b := i, c.t.buf
	switch {
	case c.sawCR:
	case c.state == csvBare:
		for i < len(b) && b[i] != c.comma && b[i] != '"' && b[i] != '\n' && b[i] != '\r' {
			i++
		}
	case c.state == csvQuoted:
		for i < len(b) && b[i] != '"' && b[i] != c.eol {
			i++
		}
	}
	c.keepRaw(b[from:i])
	c.appendData(b[from:i])
	return i
}

// consume consumes byte i of the buffer and reports whether it ends the record.
func (c *csvReader) consume(b byte, i int) bool {
	if c.sawCR {
		c.sawCR = false
		if b != '\n' {
			c.consumeData('\r', max(i-1, 0))
		} else if c.state != csvMalformed {
			c.endField()
			return true
		}
	}
	if b == c.eol && c.state != csvQuoted {
		if c.state != csvMalformed {
			c.endField()
		}
		return true
	}
	if b == '\r' && c.eol == '\n' && c.state != csvQuoted && c.state != csvMalformed {
		c.sawCR = true
		return false
	}
	c.consumeData(b, i)
	return false
}

// consumeData consumes a byte that does not end the record.
func (c *csvReader) consumeData(b byte, i int) {
	c.keepRaw([]byte{b})
	switch c.state {
	case csvFieldStart, csvBare:
		switch {
		case b == c.comma:
			c.endField()
			c.state = csvFieldStart
		case b == '"' && c.state == csvFieldStart:
			c.state, c.quote = csvQuoted, c.t.offsetOf(i)
		case b == '"':
			c.setProblem(c.t.offsetOf(i), "a quote within a field that does not begin with a quote")
		default:
			c.state = csvBare
			c.appendData([]byte{b})
		}
	case csvQuoted:
		if b == '"' {
			c.state = csvQuoteSeen
			return
		}
		if b == c.eol && c.rec.nextLine == 0 {
			c.rec.nextLine = c.t.offsetOf(i + 1)
		}
		c.appendData([]byte{b})
	case csvQuoteSeen:
		switch b {
		case '"':
			c.state = csvQuoted
			c.appendData([]byte{b})
		case c.comma:
			c.endField()
			c.state = csvFieldStart
		default:
			c.setProblem(c.t.offsetOf(i), "a closing quote that is not followed by a separator")
		}
	}
}

// endFile ends the last record of the file.
func (c *csvReader) endFile() error {
	c.sawCR = false // a CR at the end of the file ends the record
	switch c.state {
	case csvFieldStart:
		if c.rec.fields == 0 {
			return io.EOF
		}
		c.endField()
	case csvQuoted:
		c.setProblem(c.quote, "a quote that is never closed")
		c.rec.unclosed = true
	case csvMalformed:
	default:
		c.endField()
	}
	c.rec.end = c.t.off
	return nil
}

func (c *csvReader) keepRaw(b []byte) {
	c.rec.raw = append(c.rec.raw, b[:min(len(b), maxRaw-len(c.rec.raw))]...)
}

func (c *csvReader) appendData(b []byte) {
	n := min(len(b), max(c.keep-len(c.rec.data), 0))
	c.rec.data = append(c.rec.data, b[:n]...)
	c.rec.cut = c.rec.cut || n < len(b)
}

func (c *csvReader) endField() {
	c.rec.fields++
	if len(c.rec.ends) < maxFields {
		c.rec.ends = append(c.rec.ends, len(c.rec.data))
	} else {
		c.rec.cut = true
	}
}

func (c *csvReader) setProblem(at int64, problem string) {
	c.state, c.rec.problem, c.rec.at = csvMalformed, problem, at
}
