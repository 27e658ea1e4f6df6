package objecttools

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

const sampleDescription = "Show a few lines of a text file, or rows of CSV and JSON Lines, from all over the file, " +
	"its beginning or its end. Example: {\"file\": \"f1\", \"count\": 5, \"from\": \"tail\"} shows the last five. " +
	"The same arguments return the same sample. " + contentWarning

const (
	defaultSample = 10
	// probeLen is the number of bytes that a sample reads at each position.
	probeLen = 32 << 10
	// maxSampleLine is the number of bytes that are shown of a line that does not end within a probe.
	maxSampleLine = 4 * lineShown
	// itemCost is the cost of an item without its content, minShare the smallest share of an item's content.
	itemCost = 80
	minShare = 40
)

type sampleArgs struct {
	File  string `json:"file" jsonschema:"the handle of the file, from list_files, for example f1"`
	Count *int   `json:"count" jsonschema:"the number of lines or rows, 1 to 50; default 10" min:"1" max:"50"`
	From  string `json:"from,omitempty" jsonschema:"spread (evenly over the file, including the first and the last), head or tail; default spread" enum:"spread,head,tail"`
}

type sampleResult struct {
	File    string       `json:"file"`
	By      string       `json:"by"` // "lines" or "rows"
	Size    int64        `json:"size"`
	Columns []string     `json:"columns,omitempty"`
	Items   []sampleItem `json:"items"`
	Invalid int          `json:"invalid_bytes,omitempty"`
	Notes   notes        `json:"notes,omitempty"`
}

// sampleItem is a line or a JSON Lines record, as Text, or a row of CSV, as Row.
type sampleItem struct {
	Offset int64    `json:"offset"`
	Text   string   `json:"text,omitempty"`
	Row    []string `json:"row,omitempty"`
	Cut    bool     `json:"cut,omitempty"`    // the end is left out
	Within bool     `json:"within,omitempty"` // it begins within a line, because no line begins nearby
}

// Summary implements [tools.Summarizer].
func (s sampleResult) Summary() string {
	what := s.By
	if len(s.Items) == 1 {
		what = s.By[:len(s.By)-1]
	}
	return fmt.Sprintf("%d %s of %s", len(s.Items), what, s.File)
}

type sampler struct {
	f       *file
	columns int
	first   int64 // the offset of the first line or row
	want    int
	left    budget
	out     sampleResult
	leftOut int // items that did not fit
}

func (ts *toolset) sampleFile(ctx context.Context, c *tools.Call, args sampleArgs) (sampleResult, error) {
	f, err := ts.openTextFile(ctx, c, args.File)
	if err != nil {
		return sampleResult{}, err
	}
	s := &sampler{f: f, first: f.start, want: valueOr(args.Count, defaultSample), left: ts.resultBudget()}
	s.out = sampleResult{File: f.handle, By: byLines, Size: f.info.Size, Items: []sampleItem{}}
	if f.format.hasRows() {
		s.out.By = byRows
	}
	if f.format.name == formatJSON {
		s.out.Notes.add("lines of JSON are shown, which need not be its records")
	}
	if f.format.name == formatCSV {
		h, err := f.readHeader(ctx, s.left.left/3)
		if err != nil {
			return sampleResult{}, err
		}
		s.columns, s.first = h.fields, h.end
		s.out.Columns, s.out.Invalid, s.out.Notes = h.columns, h.invalid, h.notes
		s.left.takeTexts(h.columns)
	}
	switch args.From {
	case "head":
		err = s.takeHead(ctx)
	case "tail":
		err = s.takeTail(ctx, s.want)
	default:
		err = s.takeSpread(ctx)
	}
	if err != nil {
		return sampleResult{}, err
	}
	if s.leftOut > 0 {
		s.out.Notes.add("%d more did not fit", s.leftOut)
	} else if len(s.out.Items) < s.want {
		s.out.Notes.add("found fewer than the requested %d: the file has no more, or none near the sampled positions", s.want)
	}
	s.out.Notes.addEncoding(f.enc)
	s.out.Notes.addInvalid(s.out.Invalid, f.enc)
	return s.out, nil
}

// loadProbe loads at most probeLen bytes at off.
func (s *sampler) loadProbe(ctx context.Context, off int64) (*textReader, error) {
	t, err := s.f.openText(ctx, off, off+probeLen)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return t, t.loadBlock()
}

// takeHead adds the first items.
func (s *sampler) takeHead(ctx context.Context) error {
	t, err := s.loadProbe(ctx, s.first)
	if err != nil {
		return err
	}
	s.eachItem(t, true, func(it sampleItem) bool {
		s.addItem(it)
		return len(s.out.Items) < s.want
	})
	return nil
}

// takeTail adds the last n items.
func (s *sampler) takeTail(ctx context.Context, n int) error {
	off := s.alignOffset(max(s.first, s.f.info.Size-probeLen))
	t, err := s.loadProbe(ctx, off)
	if err != nil {
		return err
	}
	last := make([]sampleItem, 0, n)
	s.eachItem(t, off == s.first, func(it sampleItem) bool {
		if len(last) == n {
			copy(last, last[1:])
			last = last[:n-1]
		}
		last = append(last, it)
		return true
	})
	for _, it := range last {
		s.addItem(it)
	}
	return nil
}

// takeSpread adds the first item at or after each of the evenly spread positions, and the last item of the file.
func (s *sampler) takeSpread(ctx context.Context) error {
	span := s.f.info.Size - s.first
	for i := range s.want - 1 {
		off := s.first
		if i > 0 {
			// One code unit earlier, to see whether a line begins exactly at the position.
			off = s.alignOffset(max(s.first, s.first+span/int64(s.want-1)*int64(i)-2))
		}
		t, err := s.loadProbe(ctx, off)
		if err != nil {
			return err
		}
		s.eachItem(t, off == s.first, func(it sampleItem) bool {
			if n := len(s.out.Items); n > 0 && it.Offset <= s.out.Items[n-1].Offset {
				return true // it has been added
			}
			s.addItem(it)
			return false
		})
	}
	return s.takeTail(ctx, 1)
}

// alignOffset moves an offset back to the beginning of a code unit.
func (s *sampler) alignOffset(off int64) int64 {
	if !s.f.enc.isUTF16() {
		return off
	}
	return s.f.start + (off-s.f.start)&^1
}

// addItem adds an item after the last one, truncated to its share of the budget.
func (s *sampler) addItem(it sampleItem) {
	n := len(s.out.Items)
	if n > 0 && it.Offset <= s.out.Items[n-1].Offset {
		return
	}
	share := budget{max(s.left.left/max(s.want-n, 1)-itemCost, minShare)}
	if s.left.left < share.left+itemCost {
		s.leftOut++
		return
	}
	before := share.left
	if it.Row == nil {
		if short := truncateCost(it.Text, share.left); short != it.Text {
			it.Text, it.Cut = short, true
		}
		share.spend(jsonCost(it.Text))
	}
	for i, field := range it.Row {
		if !share.take(jsonCost(field)) {
			it.Row, it.Cut = append(it.Row[:i:i], truncateCost(field, share.left)), true
			share.left = 0
			break
		}
	}
	s.left.spend(before - share.left + itemCost)
	s.out.Items = append(s.out.Items, it)
}

// eachItem calls yield with each whole line or row in t until it returns false. startsLine reports that one begins
// where t does.
func (s *sampler) eachItem(t *textReader, startsLine bool, yield func(sampleItem) bool) {
	if s.f.format.name == formatCSV {
		s.eachRow(t, startsLine, yield)
		return
	}
	l := &lineReader{t: t.loadedFrom(0), inLine: !startsLine}
	for {
		p, err := l.next()
		switch {
		case errors.Is(err, errPartEnd) && l.offset() == t.off && !startsLine: // t is within one line
			yield(s.newMidLineItem(t))
			return
		case errors.Is(err, errPartEnd) && (l.offset() == t.off || l.t.off > t.off): // the last line of t is incomplete
			yield(s.newItem(l.offset(), l.t.buf[:min(len(l.t.buf), maxSampleLine)], true, false))
			return
		case err != nil:
			return
		case !p.first && len(p.b) == len(t.buf) && len(p.b) > maxSampleLine: // t is the end of a long line
			yield(s.newMidLineItem(t))
			return
		case !p.first || len(bytes.TrimSpace(p.b)) == 0:
			continue
		}
		if !yield(s.newItem(p.off, p.b, !p.last, false)) {
			return
		}
	}
}

// newMidLineItem returns the text at the beginning of t, which is within a line.
func (s *sampler) newMidLineItem(t *textReader) sampleItem {
	skip := 0
	for skip < 3 && skip < len(t.buf) && t.buf[skip]&0xc0 == 0x80 { // the rest of a character
		skip++
	}
	return s.newItem(t.offsetOf(skip), t.buf[skip:min(len(t.buf), skip+maxSampleLine)], true, true)
}

func (s *sampler) newItem(off int64, b []byte, cut, within bool) sampleItem {
	text, invalid := s.f.enc.toText(b[:len(b)-partialRuneLen(b)])
	s.out.Invalid += invalid
	return sampleItem{Offset: off, Text: text, Cut: cut, Within: within}
}
