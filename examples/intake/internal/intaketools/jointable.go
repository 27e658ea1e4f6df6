package intaketools

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// joinedTable is the other table of a join.
type joinedTable struct {
	on      string
	columns []string
	values  map[string][]string // by the text of the column on
	notes   []string
	report  *files.Report // or nil
	// unknown is the number of looked up rows whose value of the column on is not in the table, such as example, and
	// without that of rows that do not have one. isLookedUp reports that the current row is counted.
	unknown, without int64
	example          string
	isLookedUp       bool
	// numbers are the texts of the column equals by their numbers. floats is the number of rows whose value, such as
	// float, is taken as another text that is the same whole number, such as 1 for 1.0. other is the text of a number that
	// is the same as example.
	numbers map[string]string
	floats  int64
	float   string
	other   string
}

func newJoinedTable(in *joinIn, report *files.Report) *joinedTable {
	return &joinedTable{
		on: in.On, columns: in.Columns, values: map[string][]string{}, report: report, numbers: map[string]string{},
	}
}

// noteNumber keeps the text of a number by which another text of it is found.
func (j *joinedTable) noteNumber(id string) {
	if number, _ := wholeNumber(id); number != "" && j.numbers[number] == "" {
		j.numbers[number] = id
	}
}

// wholeNumber returns a whole number without leading zeros and without zeros after its point, or "". isFloat reports
// that it has such zeros: programs write 1 as 1.0 if another row does not have a value.
func wholeNumber(id string) (number string, isFloat bool) {
	whole, fraction, isFloat := strings.Cut(id, ".")
	isOther := func(r rune) bool { return r < '0' || r > '9' }
	if whole == "" || strings.ContainsFunc(whole, isOther) || strings.Trim(fraction, "0") != "" {
		return "", false
	}
	return strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:], isFloat && fraction != ""
}

// findNumber returns the joined values of the same whole number with or without zeros after its point.
func (j *joinedTable) findNumber(id string) (values []string, ok bool) {
	number, isFloat := wholeNumber(id)
	other := j.numbers[number]
	if number == "" || other == "" {
		return nil, false
	}
	_, isOtherFloat := wholeNumber(other)
	isSame := func(float, plain string) bool { p, _, _ := strings.Cut(float, "."); return p == plain }
	if isFloat && !isOtherFloat && isSame(id, other) || !isFloat && isOtherFloat && isSame(other, id) {
		values, ok = j.values[other]
	}
	return values, ok
}

// lookUp returns the joined values of a row with that value of the column on, or nil.
func (j *joinedTable) lookUp(value []byte) []string {
	id := joinID(value)
	values, ok := j.values[id]
	isFloat := false
	if !ok {
		values, isFloat = j.findNumber(id)
	}
	if j.isLookedUp {
		return values
	}
	j.isLookedUp = true
	example := string(value[:min(len(value), maxJoined)])
	switch {
	case ok:
	case isFloat:
		if j.floats++; j.float == "" {
			j.float = example
		}
	case id == "":
		j.without++
	default:
		if j.unknown++; j.example == "" {
			j.example = example
			number, _ := wholeNumber(id)
			j.other = j.numbers[number]
		}
	}
	return values
}

// profiles returns the profiles of the columns of a file with that report, and of those that j adds. Both may be nil.
func (j *joinedTable) profiles(report *files.Report) map[string]*profile.Column {
	m := map[string]*profile.Column{}
	add := func(r *files.Report, isAdded func(name string) bool) {
		if r == nil {
			return
		}
		for i := range r.Profile.Columns {
			if c := &r.Profile.Columns[i]; c.Repeated == 0 && isAdded(c.Name) {
				m[c.Name] = asMeant(c, r.Meanings[c.Name])
			}
		}
	}
	add(report, func(string) bool { return true })
	if j != nil {
		add(j.report, func(name string) bool { return name != j.on && slices.Contains(j.columns, name) })
	}
	return m
}

func (j *joinedTable) columnNames() []string {
	if j == nil {
		return nil
	}
	return j.columns
}

func joinID(v []byte) string { return string(profile.Key(v, nil)) }

// partnerNotes returns sentences about the rows that the other file of a join does not have.
func (j *joinedTable) partnerNotes(in *joinIn) (list []string) {
	if j == nil {
		return nil
	}
	if j.floats > 0 {
		list = append(list, fmt.Sprintf("%.60q of %s, such as %.60q, is the same whole number as one of the file %s, and is "+
			"joined with it", in.On, profile.CountOf(j.floats, "row", "rows"), j.float, in.File))
	}
	if j.unknown > 0 {
		other := ""
		if j.other != "" {
			other = fmt.Sprintf(" (it has %.60q, which may be another code)", j.other)
		}
		const note = "the file %s does not have %.60q of %s, such as %.60q%s: their joined values are empty"
		list = append(list, fmt.Sprintf(note, in.File, in.On, profile.CountOf(j.unknown, "row", "rows"), j.example, other))
	}
	if j.without > 0 {
		list = append(list, fmt.Sprintf("%s no value of %.60q, so the joined values are empty",
			profile.CountOf(j.without, "row has", "rows have"), in.On))
	}
	return list
}
