package objecttools

import "bytes"

// maxStarts is the number of lines of a probe that are tried as the beginning of a row.
const maxStarts = 100

// eachRow calls yield with each well-formed row of CSV in t until it returns false. startsRow reports that a row begins
// where t does.
func (s *sampler) eachRow(t *textReader, startsRow bool, yield func(sampleItem) bool) {
	from := 0
	if !startsRow {
		if from = s.findRowStart(t); from < 0 {
			if len(t.buf) > maxSampleLine {
				yield(s.newMidLineItem(t))
			}
			return
		}
	}
	c := s.f.newCSVReader(t.loadedFrom(from), len(t.buf))
	for c.next() == nil {
		if c.rec.problem != "" {
			continue
		}
		row, invalid := c.rec.fieldTexts(&budget{8 * len(t.buf)})
		s.out.Invalid += invalid
		if !yield(sampleItem{Offset: c.rec.off, Row: row, Cut: c.rec.cut}) {
			return
		}
	}
}

// findRowStart returns the first byte of t's buf at which a row seems to begin, or -1. A row begins at a line if two
// well-formed rows follow with as many fields as there are columns. That is rarely true of a line within quotes.
func (s *sampler) findRowStart(t *textReader) int {
	from := 0
	for range maxStarts {
		i := bytes.IndexByte(t.buf[from:], s.f.format.eol)
		if i < 0 {
			return -1
		}
		from += i + 1
		if s.startsRows(t.loadedFrom(from)) {
			return from
		}
	}
	return -1
}

// startsRows reports whether t begins with two well-formed rows, or with one if t ends after it.
func (s *sampler) startsRows(t *textReader) bool {
	c := s.f.newCSVReader(t, 0)
	for n := range 2 {
		if err := c.next(); err != nil {
			return n > 0
		}
		if c.rec.problem != "" || s.columns > 0 && c.rec.fields != s.columns {
			return false
		}
	}
	return true
}
