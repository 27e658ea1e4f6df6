package reader

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// tellUnits returns a sentence for each condition that compares numbers whose units differ between the files. One file
// with several units says so itself.
func (q question) tellUnits(calls []made, l *found) (notes []string) {
	for i, w := range q.where {
		var units, texts []string
		for _, m := range calls {
			a, ok := decode[intaketools.Answer](&m)
			if !ok {
				continue
			}
			own := unitsOf(&m, &a, i)
			if len(own) == 0 {
				continue
			}
			for _, u := range own {
				if key := query.UnitKey(u); !slices.Contains(units, key) {
					units = append(units, key)
				}
			}
			texts = append(texts, fmt.Sprintf("%s in %s", query.DescribeUnits(own), nameOf(l, a.File)))
		}
		if len(units) > 1 && len(texts) > 1 {
			notes = append(notes, fmt.Sprintf("The numbers of “%s” are compared without their units, which differ: %s.",
				w.column, joinSome(texts, "; ")))
		}
	}
	return notes
}

// unitsOf returns the units of the numbers that a condition of a call has compared.
func unitsOf(m *made, a *intaketools.Answer, condition int) []string {
	var args struct{ Where []struct{ Column string } }
	_ = json.Unmarshal(m.use.Input, &args) // the reader has written it
	if condition >= len(args.Where) {
		return nil
	}
	column := args.Where[condition].Column
	i := slices.IndexFunc(a.ConditionUnits, func(c query.ConditionUnits) bool { return c.Column == column })
	if i < 0 {
		return nil
	}
	return a.ConditionUnits[i].Units
}
