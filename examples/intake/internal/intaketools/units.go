package intaketools

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
)

// unitColumns returns the columns that have the units of the measured columns of a query: that of currencies for money,
// and that of units of measure for other amounts. A measured column whose rows the query groups by it is left out.
func unitColumns(report *files.Report, in queryIn) map[string]string {
	units := map[string]string{}
	if report == nil {
		return units
	}
	roles := rolesOf(report)
	for _, m := range in.Measures {
		if m.Column == nil {
			continue
		}
		if unit := unitColumnOf(report, roles, *m.Column); unit != "" && !slices.Contains(in.GroupBy, unit) {
			units[*m.Column] = unit
		}
	}
	return units
}

// unitColumnOf returns the column that has the units of a column, or "".
func unitColumnOf(report *files.Report, roles map[string]kinds.Role, column string) string {
	own := report.Profile.Column(column)
	if own == nil || own.Type != profile.Integer && own.Type != profile.Decimal || hasUnitInName(column) {
		return ""
	}
	role := roles[column]
	named, general := "", ""
	for i := range report.Profile.Columns {
		c := &report.Profile.Columns[i]
		if c.Type != profile.Text || c.Name == column {
			continue
		}
		switch stem, isUnit := cutUnitWord(c.Name); {
		case isUnit && stem != "" && strings.Contains(plainName(column), stem):
			named = c.Name
		case roles[c.Name] == kinds.Currency && isMoney(role, column),
			(roles[c.Name] == kinds.Unit || isMeasureName(c.Name)) && isMeasure(role):
			general = c.Name
		}
	}
	if named != "" {
		return named
	}
	return general
}

// conditionUnits returns the columns that have the units of the columns which conditions compare, unless another
// condition asks for one unit.
func conditionUnits(report *files.Report, in queryIn) map[string]string {
	units := map[string]string{}
	if report == nil {
		return units
	}
	roles := rolesOf(report)
	isAsked := func(column string) bool {
		return slices.ContainsFunc(in.Where, func(w whereIn) bool { return w.Column == column && w.Operator == query.Equal })
	}
	for _, w := range in.Where {
		isCompared := w.Operator != query.Contains && w.Operator != query.Missing && w.Operator != query.Present
		if unit := unitColumnOf(report, roles, w.Column); unit != "" && isCompared && !isAsked(unit) {
			units[w.Column] = unit
		}
	}
	return units
}

// nameUnits adds the units that the names of columns have, such as weight_kg, to those of compared numbers without one.
func nameUnits(list []query.ConditionUnits) {
	for i := range list {
		if c := &list[i]; len(c.Units) == 1 && c.Units[0] == "" && hasUnitInName(c.Column) {
			c.Units[0] = kinds.UnitOfName(c.Column)
		}
	}
}

// rolesOf returns the roles of the columns of a report by name: those that a person or an agent has recorded, and
// otherwise those that the names and the examples show.
func rolesOf(report *files.Report) map[string]kinds.Role {
	roles := map[string]kinds.Role{}
	var columns []kinds.Column
	for _, c := range report.Profile.Columns {
		columns = append(columns, kinds.Column{Name: c.Name, Examples: c.Examples})
	}
	for _, c := range kinds.Recognize(columns).Columns {
		roles[c.Name] = c.Role
		if role := kinds.RoleOfMeaning(report.Meanings[c.Name]); role != "" {
			roles[c.Name] = role
		}
	}
	return roles
}

func isMoney(role kinds.Role, name string) bool {
	switch role {
	case kinds.Amount, kinds.UnitPrice, kinds.ListPrice:
		return true
	case "":
		name = plainName(name)
		for _, word := range []string{
			"amount", "price", "cost", "value", "total", "net", "gross", "revenue", "fee", "tax", "vat", "freight", "duty",
			"betrag", "preis", "kosten", "wert", "umsatz", "montant", "prix", "importe", "precio",
		} {
			if strings.Contains(name, word) {
				return true
			}
		}
	}
	return false
}

// isMeasure reports whether the numbers of a column may have a unit of measure. Those of an unknown column may.
func isMeasure(role kinds.Role) bool {
	switch role {
	case kinds.Quantity, kinds.OnHand, kinds.QuantityPer, kinds.ReorderPoint, kinds.Weight, "":
		return true
	}
	return false
}

func plainName(name string) string {
	isBetween := func(r rune) bool { return strings.ContainsRune("_ -.", r) }
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), isBetween), "_")
}

// unitWords are the ends of names of columns that have units.
func unitWords() []string {
	return []string{"unit", "uom", "units", "currency", "ccy", "einheit", "währung"}
}

// measureWords are the names, or the last words of names, of columns that have units of measure.
const measureWords = " unit units uom um me meh einheit einheiten mengeneinheit basismengeneinheit unité unités " +
	"unite unidad unidades unidade unità unita eenheid enhet enhed yksikkö jednostka jm birim measure measurement " +
	"единица ед 单位 單位 単位 단위 "

// measureNames are such names of several words.
const measureNames = " u_m u/m m_e j_m ед_изм unit_of_measure unidad_de_medida unidad_medida unité_de_mesure " +
	"unità_di_misura unidade_de_medida jednostka_miary "

// isMeasureName reports whether the name of a column says that it has the units of measure of others.
func isMeasureName(name string) bool {
	word := " " + strings.TrimSuffix(plainName(name), ":") + " "
	return strings.Contains(measureWords, word) || strings.Contains(measureNames, word)
}

// cutUnitWord returns the name of a column such as weight_unit without its last word, if that says that it has units.
func cutUnitWord(name string) (stem string, isUnit bool) {
	name = plainName(name)
	if at := strings.LastIndexByte(name, '_'); at > 0 && strings.Contains(measureWords, " "+name[at+1:]+" ") {
		return name[:at], true
	}
	for _, word := range unitWords() {
		if stem, ok := strings.CutSuffix(name, word); ok {
			return strings.TrimSuffix(stem, "_"), true
		}
	}
	return "", false
}

// hasUnitInName reports whether the name of a column ends with a unit, such as weight_kg.
func hasUnitInName(name string) bool { return kinds.UnitOfName(name) != "" }

// namedUnits returns the units in the names of measured columns of which some numbers have units too.
func namedUnits(profiles map[string]*profile.Column, measures []query.Measure) map[string]string {
	units := map[string]string{}
	for _, m := range measures {
		if c := profiles[m.Column]; c != nil && len(c.Units) > 0 {
			units[m.Column] = kinds.UnitOfName(m.Column)
		}
	}
	return units
}

// addNamedUnit sets the unit of a result whose numbers do not have one to that of the name of the measured column, such
// as kg of weight_kg.
func addNamedUnit(r *query.Result, in queryIn) {
	if r.Unit != "" || r.UnitColumn != "" || len(in.Measures) == 0 || in.Measures[0].Column == nil {
		return
	}
	if f := query.Function(in.Measures[0].Function); f != query.Count && f != query.Numbers {
		r.Unit = kinds.UnitOfName(*in.Measures[0].Column)
	}
}
