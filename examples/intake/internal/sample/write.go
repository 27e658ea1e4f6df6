package sample

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// Format is the format of a file.
type Format string

// The formats.
const (
	CSV       Format = "csv"
	TSV       Format = "tsv"
	JSONLines Format = "jsonl"
	JSON      Format = "json"
)

// Options configures [Write]. Rows or Size is required.
type Options struct {
	Kind   kinds.Kind // with a schema: see Kinds
	Format Format     // default: CSV
	// Rows is the number of rows. Size is the number of bytes after which the file ends with the next row.
	Rows, Size int64
	Seed       uint64
	// Every is how many rows have a flaw on average: one of that many. Zero means 20. A negative value means no flaws.
	Every int
}

// Counts are the numbers of rows and flaws of a file.
type Counts struct {
	Rows, Bytes int64
	Columns     []string
	Duplicates  int64 // rows that equal an earlier one
	// By column:
	Missing, Wrong, Negative, OtherDates map[string]int64
}

// Kinds returns the kinds that have a schema.
func Kinds() (list []kinds.Kind) {
	for _, k := range kinds.All() {
		if schema(k) != nil {
			list = append(list, k)
		}
	}
	return list
}

// ErrOptions is returned for invalid options.
var ErrOptions = errors.New("sample: invalid options")

// Check returns [ErrOptions] if [Write] would.
func (o *Options) Check() error {
	switch {
	case schema(o.Kind) == nil:
		return fmt.Errorf("%w: invalid kind %q: must be one of %v", ErrOptions, o.Kind, Kinds())
	case o.Format != "" && o.Format != CSV && o.Format != TSV && o.Format != JSONLines && o.Format != JSON:
		return fmt.Errorf("%w: invalid format %q: must be csv, tsv, jsonl or json", ErrOptions, o.Format)
	case o.Rows < 0 || o.Size < 0 || (o.Rows == 0) == (o.Size == 0):
		return fmt.Errorf("%w: either Rows or Size must be positive", ErrOptions)
	}
	return nil
}

// writer writes one file.
type writer struct {
	o       Options
	columns []column
	r       *rand.Rand
	w       *bufio.Writer
	counts  Counts
	row     []byte // the current one
	value   []byte
	last    last
}

// Write writes a file.
func Write(w io.Writer, o *Options) (Counts, error) {
	x := writer{o: *o, columns: schema(o.Kind), w: bufio.NewWriterSize(w, 64<<10)}
	x.r = rand.New(rand.NewPCG(o.Seed, 1)) //nolint:gosec // not a secret
	if x.o.Format == "" {
		x.o.Format = CSV
	}
	if x.o.Every == 0 {
		x.o.Every = 20
	}
	if err := x.o.Check(); err != nil {
		return Counts{}, err
	}
	x.counts.Missing, x.counts.Wrong = map[string]int64{}, map[string]int64{}
	x.counts.Negative, x.counts.OtherDates = map[string]int64{}, map[string]int64{}
	for _, c := range x.columns {
		x.counts.Columns = append(x.counts.Columns, c.name)
	}
	if err := x.write(); err != nil {
		return x.counts, fmt.Errorf("sample: write: %w", err)
	}
	return x.counts, nil
}

func (x *writer) write() error {
	if err := x.put(x.header()); err != nil {
		return err
	}
	for x.counts.Rows == 0 || x.o.Rows > 0 && x.counts.Rows < x.o.Rows || x.o.Size > 0 && x.counts.Bytes < x.o.Size {
		x.counts.Rows++
		if x.counts.Rows > 1 && x.o.Every > 0 && x.r.IntN(10*x.o.Every) == 0 {
			x.counts.Duplicates++
			x.countAgain()
		} else {
			x.newRow()
		}
		if x.o.Format == JSON && x.counts.Rows > 1 {
			if err := x.put([]byte(",\n")); err != nil {
				return err
			}
		}
		if err := x.put(x.row); err != nil {
			return err
		}
	}
	if x.o.Format == JSON {
		if err := x.put([]byte("\n]\n")); err != nil {
			return err
		}
	}
	return x.w.Flush()
}

func (x *writer) put(b []byte) error {
	n, err := x.w.Write(b)
	x.counts.Bytes += int64(n)
	return err
}

func (x *writer) separator() byte {
	if x.o.Format == TSV {
		return '\t'
	}
	return ','
}

func (x *writer) header() []byte {
	switch x.o.Format {
	case JSONLines:
		return nil
	case JSON:
		return []byte("[\n")
	}
	return []byte(strings.Join(x.counts.Columns, string(rune(x.separator()))) + "\n")
}

// last is the flaw of the current row, which a duplicate has again.
type last struct {
	column string
	flaw   flaw
}

// newRow generates a row. One of Every rows has a flaw.
func (x *writer) newRow() {
	flawed, what := x.chooseFlaw()
	x.last = last{}
	x.row = x.row[:0]
	isJSON := x.o.Format == JSON || x.o.Format == JSONLines
	if isJSON {
		x.row = append(x.row, '{')
	}
	for i, c := range x.columns {
		if i > 0 {
			x.row = append(x.row, x.separatorOf(isJSON))
		}
		x.value = c.value(x.value[:0], x.r, x.counts.Rows)
		f := noFlaw
		if i == flawed {
			f = what
			x.last = last{c.name, f}
			x.countAgain()
		}
		isText := !c.isNumber
		switch f {
		case isMissing:
			x.value = x.value[:0]
		case isWrong:
			x.value, isText = append(x.value[:0], "about a dozen"...), true
		case isNegative:
			if len(x.value) == 1 && x.value[0] == '0' {
				x.value[0] = '1'
			}
			x.value = append([]byte{'-'}, x.value...)
		case isOtherDay:
			x.value = dotted(x.value)
		}
		if isJSON {
			x.appendMember(c.name, isText)
			continue
		}
		x.row = append(x.row, x.value...)
	}
	if isJSON {
		x.row = append(x.row, '}')
	}
	if x.o.Format != JSON {
		x.row = append(x.row, '\n')
	}
}

func (x *writer) separatorOf(isJSON bool) byte {
	if isJSON {
		return ','
	}
	return x.separator()
}

// appendMember appends a member whose value, if it is a text, does not need escapes.
func (x *writer) appendMember(name string, isText bool) {
	x.row = append(append(append(x.row, '"'), name...), `":`...)
	switch {
	case len(x.value) == 0:
		x.row = append(x.row, "null"...)
	case isText:
		x.row = append(append(append(x.row, '"'), x.value...), '"')
	default:
		x.row = append(x.row, x.value...)
	}
}

// chooseFlaw returns the index of the column that has a flaw, or -1.
func (x *writer) chooseFlaw() (int, flaw) {
	if x.o.Every < 0 || x.r.IntN(x.o.Every) > 0 {
		return -1, noFlaw
	}
	for i := x.r.IntN(len(x.columns)); ; i = (i + 1) % len(x.columns) {
		if f := x.columns[i].flaws; len(f) > 0 {
			return i, f[x.r.IntN(len(f))]
		}
	}
}

// countAgain counts the flaw of the current row.
func (x *writer) countAgain() {
	switch x.last.flaw {
	case isMissing:
		x.counts.Missing[x.last.column]++
	case isWrong:
		x.counts.Wrong[x.last.column]++
	case isNegative:
		x.counts.Negative[x.last.column]++
	case isOtherDay:
		x.counts.OtherDates[x.last.column]++
	}
}
