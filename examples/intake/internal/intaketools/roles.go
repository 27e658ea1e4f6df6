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

// asMeant returns a column as its recorded meaning has it: codes if that says so.
func asMeant(c *profile.Column, meaning string) *profile.Column {
	if kinds.RoleOfMeaning(meaning).IsCode() {
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

// RoleOf returns the role of a column of the file: that of its recorded meaning, and otherwise that of its name.
func (f *ListedFile) RoleOf(column string) kinds.Role {
	if role := f.Roles[column]; role != "" {
		return role
	}
	return kinds.RoleOf(column)
}
