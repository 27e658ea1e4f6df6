package intaketools

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
	"github.com/carrel-go/carrel/tools"
)

// checkMeasured returns a correction if none of the values of the first measure is a number or a date that it can have.
func checkMeasured(r *query.Result, in queryIn) error {
	if len(in.Measures) == 0 || in.Measures[0].Column == nil {
		return nil
	}
	at := len(r.Columns) - len(r.Types)
	f := query.Function(in.Measures[0].Function)
	hasValue := func(line query.Line) bool { return line[at] != "" }
	if f == query.Count || f == query.Numbers || slices.ContainsFunc(r.Lines, hasValue) {
		return nil
	}
	isDates := func(note string) bool { return strings.HasPrefix(note, "dates cannot be added") }
	if i := slices.IndexFunc(r.Notes, isDates); i >= 0 {
		return tools.Correct(r.Notes[i])
	}
	if r.Ignored == 0 {
		return nil
	}
	name := map[query.Function]string{query.Sum: "a sum", query.Avg: "an average"}[f]
	text := fmt.Sprintf("%s of %.60q needs numbers, but it has only %s", cmp.Or(name, "a lowest or highest value"),
		*in.Measures[0].Column, profile.CountOf(r.Ignored, "value that is not a number", "values that are not numbers"))
	isCodes := func(note string) bool { return strings.Contains(note, " is read as texts, because ") }
	if i := slices.IndexFunc(r.Notes, isCodes); i >= 0 {
		text += ": " + r.Notes[i]
	}
	return tools.Correct(text)
}

// addedCodes returns sentences about sums and averages of columns that have codes by their names or meanings, but whose
// values are numbers.
func addedCodes(in queryIn, report *files.Report) (list []string) {
	for _, m := range in.Measures {
		f := query.Function(m.Function)
		if m.Column == nil || f != query.Sum && f != query.Avg || report == nil {
			continue
		}
		c := report.Profile.Column(*m.Column)
		role := kinds.RoleOfMeaning(report.Meanings[*m.Column])
		isCode := kinds.SenseOf(*m.Column) == profile.Codes || role.IsCode()
		note := fmt.Sprintf("%.60q has codes by its name or meaning, so its sum or average may not mean anything", *m.Column)
		if c != nil && c.Type == profile.Integer && isCode && !c.MayBeCodes && !slices.Contains(list, note) {
			list = append(list, note)
		}
	}
	return list
}
