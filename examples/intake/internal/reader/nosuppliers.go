package reader

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// tellNoSuppliers returns a sentence that no file is a list of suppliers if a question needs a column of one, and the
// files that could be one. again has the call that lists all files if that is not made yet.
func (c *conversation) tellNoSuppliers(l *found, q question) (why string, again answer) {
	words := q.lackedOfSuppliers(l)
	if len(l.suppliers) > 0 || words == "" {
		return "", again
	}
	all, isListed := c.allFiles()
	if !isListed {
		return "", answer{calls: []call{{intaketools.ListFiles, map[string]any{}}}}
	}
	var names []string
	for _, f := range all {
		hasBoth := findColumnIn(f, string(kinds.SupplierID)) != "" && findColumnIn(f, words) != ""
		if hasBoth && f.CanJoin() && len(names) < maxMentioned {
			names = append(names, fmt.Sprintf("%q", f.Name))
		}
	}
	why = fmt.Sprintf("No file is a list of suppliers, which could add “%s”.", words)
	if len(names) > 0 {
		why += fmt.Sprintf(" But %s could be one: choose “suppliers” as its kind.", joinSome(names, " or "))
	}
	return why, again
}

// lackedOfSuppliers returns the words for a group or a condition that no file of a question has a column for and that
// lists of suppliers usually have, if one of the files has suppliers. Otherwise it returns "".
func (q question) lackedOfSuppliers(l *found) string {
	list := []string{q.by}
	for _, w := range q.where {
		list = append(list, w.column)
	}
	for _, words := range list {
		isUsual := slices.Contains([]kinds.Role{
			kinds.SupplierName, kinds.Country, kinds.LeadTime, kinds.Rating, kinds.Contact, kinds.Email, kinds.Terms,
		}, roleOf(words))
		canJoin := func(f intaketools.ListedFile) bool {
			return columnIn(f, words) == "" && findColumnIn(f, string(kinds.SupplierID)) != ""
		}
		if isUsual && slices.ContainsFunc(l.Files.Files, canJoin) {
			return words
		}
	}
	return ""
}

// allFiles returns the newest files of all kinds. isListed reports that they were listed.
func (c *conversation) allFiles() (list []intaketools.ListedFile, isListed bool) {
	for _, m := range c.find(intaketools.ListFiles) {
		var asked search
		_ = json.Unmarshal(m.use.Input, &asked) // the reader has written it
		if m.uploadID() != "" || asked.Kind != "" || asked.Match != "" {
			continue
		}
		isListed = true
		if page, ok := decode[intaketools.Files](&m); ok {
			list = append(list, page.Files...)
		}
	}
	return list, isListed
}

// tellLate returns a sentence about the dates of a file without a status, if the question asks for late rows.
func (q question) tellLate(l *found) string {
	if !slices.Contains([]string{"late", "overdue", "delayed", "on time"}, q.status) {
		return ""
	}
	for _, f := range l.Files.Files {
		if columnIn(f, string(kinds.Status)) == "" && len(f.Dates) > 1 {
			var dates []string
			for _, d := range f.Dates {
				dates = append(dates, fmt.Sprintf("“%s”", d))
			}
			return fmt.Sprintf("%q has the dates %s, but I cannot compare one date of a row with another one.", f.Name,
				joinSome(dates, ", "))
		}
	}
	return ""
}
