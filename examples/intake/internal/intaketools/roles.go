package intaketools

import (
	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// recordedRoles returns the roles of columns whose recorded meanings show another role than their names, or nil.
func recordedRoles(r *files.Report, columns []string) map[string]kinds.Role {
	roles := map[string]kinds.Role{}
	for _, name := range columns {
		if role := kinds.RoleOfMeaning(r.Meanings[name]); role != "" && role != kinds.RoleOf(name) {
			roles[name] = role
		}
	}
	if len(roles) == 0 {
		return nil
	}
	return roles
}

// asMeant returns a column as its recorded meaning has it: codes if that says so, and its name does not, which counts
// already.
func asMeant(c *profile.Column, meaning string) *profile.Column {
	if role := kinds.RoleOfMeaning(meaning); role.IsCode() && role != kinds.RoleOf(c.Name) {
		return c.AsCodes()
	}
	return c
}

// addCodes adds those of the names that are not measured and say that their columns have codes.
func addCodes(profiles map[string]*profile.Column, names []string) {
	for _, name := range names {
		if profiles[name] == nil && kinds.HoldsCodes(name) {
			profiles[name] = &profile.Column{Name: name, Type: profile.Text, Codes: true, CodesByName: true}
		}
	}
}

// readAs changes the profiles of columns that another file has as codes or as dates, if their values allow it.
func readAs(profiles map[string]*profile.Column, list []readIn) {
	for _, in := range list {
		c := profiles[in.Column]
		isNumber := c != nil && (c.Type == profile.Integer || c.Type == profile.Decimal)
		switch {
		case isNumber && in.As == readDates:
			profiles[in.Column] = c.AsDates()
		case isNumber && in.As == readCodes && len(c.Units) == 0:
			spelled := *c
			spelled.Spelled = true
			profiles[in.Column] = &spelled
		}
	}
}

// The values of readIn.As.
const readCodes, readDates = "codes", "dates"

// RoleOf returns the role of a column of the file: that of its recorded meaning, and otherwise that of its name.
func (f *ListedFile) RoleOf(column string) kinds.Role {
	if role := f.Roles[column]; role != "" {
		return role
	}
	return kinds.RoleOf(column)
}
