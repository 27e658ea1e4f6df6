package objecttools

const (
	// maxFields is the number of fields of a record that are kept.
	maxFields = 4096
	// maxRaw is the number of bytes of a record that are kept verbatim, for reports of malformed records.
	maxRaw = 256
	// shownRaw is the number of characters of a malformed record in a report.
	shownRaw = 80
)

// csvRecord is a record of CSV. Only a part of a large record is kept.
type csvRecord struct {
	off, end int64  // its position in the file
	fields   int    // the number of fields
	data     []byte // the kept fields, concatenated
	ends     []int  // the end of each kept field in data
	cut      bool   // some fields or bytes were not kept
	problem  string // why the record is malformed, or ""
	at       int64  // the offset of the problem
	unclosed bool   // the problem is a quote that is never closed
	raw      []byte // the first bytes, verbatim
	enc      encoding
	nextLine int64 // the offset of the record's second line, or 0 if it has only one
}

func (r *csvRecord) reset(off int64) {
	*r = csvRecord{enc: r.enc, off: off, data: r.data[:0], ends: r.ends[:0], raw: r.raw[:0]}
}

func (r *csvRecord) field(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.data[from:r.ends[i]]
}

// isBlankLine reports whether a completed record is an empty line, which does not count as a record.
func (r *csvRecord) isBlankLine() bool { return r.fields == 1 && r.problem == "" && len(r.raw) == 0 }

func (r *csvRecord) newProblem(row int64) *rowProblem {
	raw, _ := r.enc.toText(r.raw[:len(r.raw)-partialRuneLen(r.raw)])
	return &rowProblem{Row: row, Offset: r.at, What: r.problem, Text: truncateRunes(raw, shownRaw)}
}

// fieldTexts returns the fields that b has room for and takes their cost. The last field may be truncated.
func (r *csvRecord) fieldTexts(b *budget) (fields []string, invalid int) {
	fields = make([]string, 0, len(r.ends))
	b.take(3) // the brackets
	for i := range r.ends {
		data := r.field(i)
		if r.cut && i == len(r.ends)-1 {
			data = data[:len(data)-partialRuneLen(data)]
		}
		text, bad := r.enc.toText(data)
		if !b.take(jsonCost(text)) {
			if text = truncateCost(text, b.left); text != "" {
				b.spend(jsonCost(text))
				fields, invalid = append(fields, text), invalid+bad
			}
			break
		}
		fields, invalid = append(fields, text), invalid+bad
	}
	return fields, invalid
}

// cost returns the cost of the kept fields in a result.
func (r *csvRecord) cost() int {
	n := 3
	for i := range r.ends {
		n += jsonCost(string(r.field(i)))
	}
	return n
}
