package reader

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
)

const help = "I understand: “list my files”, “quality of march.csv”, “how many rows in shipments”, “total " +
	"quantity by supplier in purchase orders”, “average lead time by country in suppliers”, “how many negative " +
	"quantity in inventory”, “how many different carriers in shipments”, “how many duplicates in march.csv”, “first " +
	"rows in shipments where status is delayed”, “how many late orders in June 2026”, “top 5 suppliers by quantity”, " +
	"“what is in stock for SKU SKU-00012”. To take in a file, choose it above."

// reply returns the next step of answering a question.
func (c *conversation) reply() answer {
	q, ok := parseQuestion(c.prompt)
	if !ok {
		return answer{text: c.introduction() + "I did not understand that. " + help}
	}
	if q.refusal != "" {
		return answer{text: fmt.Sprintf("%s%s I understood: %s. Please put names and values of several words in quotes.",
			c.introduction(), q.refusal, q.describe())}
	}
	found, next := c.search(q)
	if next != nil {
		return *next
	}
	q = q.countSuppliers(found)
	switch {
	case q.wantsList:
		return answer{text: tellFiles(found)}
	case q.wantsProfile:
		return c.tellProfile(found, q.in)
	case q.function == duplicates:
		return c.tellDuplicates(found, q.in)
	}
	if len(c.find(intaketools.QueryFile)) > 0 {
		if a := c.askTogether(found, q); len(a.calls) > 0 {
			return a
		}
		return answer{text: c.tellAnswers(found, q)}
	}
	return c.ask(found, q)
}

func tellFiles(l *found) string {
	if len(l.Files.Files) == 0 {
		return "You have not taken in any files yet, and nothing is shared with you."
	}
	lines := []string{"These are the files that I can read for you:"}
	for _, f := range l.Files.Files {
		text := fmt.Sprintf("- %q: %s", f.Name, f.State)
		if f.Rows > 0 {
			text = fmt.Sprintf("- %q: %s, %s, %s", f.Name, f.Kind.Label(), plural(int(f.Rows), "row"), f.State)
		}
		lines = append(lines, text)
	}
	if l.Next != "" {
		lines = append(lines, fmt.Sprintf("There are more than these %d, which are the newest.", len(l.Files.Files)))
	}
	return strings.Join(append(lines, l.Notes...), "\n")
}

// tellDuplicates reads the profiles of files, and says how many rows repeat an earlier one.
func (c *conversation) tellDuplicates(l *found, words string) answer {
	var lines []string
	for _, m := range c.find(intaketools.GetProfile) {
		r, ok := decode[intaketools.Report](&m)
		if !ok {
			lines = append(lines, "- A profile could not be read: "+c.problem(&m)+".")
			continue
		}
		lines = append(lines, fmt.Sprintf("- %q: %s of %s, %s", r.Name, number(r.Profile.Duplicates),
			plural(int(r.Profile.Rows), "row"), exactness(r.Profile.DuplicatesExact)))
	}
	if len(lines) > 0 {
		return answer{text: "Rows that repeat an earlier row of the same file:\n" + strings.Join(lines, "\n")}
	}
	a := answer{text: withSpace(l.choice)}
	var missing []string
	for _, f := range l.Files.Files {
		if why := unreadable(f); why != "" {
			missing = append(missing, why)
		} else if len(a.calls) < maxTargets {
			a.calls = append(a.calls, call{intaketools.GetProfile, map[string]any{"file": f.File}})
		} else {
			missing = append(missing, fmt.Sprintf("%q is older, and one question asks at most %d files", f.Name, maxTargets))
		}
	}
	if len(missing) > 0 {
		a.text += fmt.Sprintf("I leave out %s: %s.", plural(len(missing), "file"), joinSome(missing, "; "))
	}
	switch {
	case len(l.Files.Files) == 0:
		return answer{text: tellNotFound(l, words)}
	case a.text != "":
		a.text = strings.TrimSpace(a.text) + "\n\n"
	}
	return a
}

// tellChoice returns sentences about how the words of a question name its file, and about the others that they name.
func tellChoice(l *found) string {
	text := withSpace(l.choice)
	if n := len(l.Files.Files); n > 1 {
		var others []string
		for _, f := range l.Files.Files[1:] {
			others = append(others, fmt.Sprintf("%q", f.Name))
		}
		text += fmt.Sprintf("This is the newest of %d files. The others are %s.", n, joinSome(others, ", "))
	}
	if text == "" {
		return ""
	}
	return strings.TrimSpace(text) + "\n"
}

// tellProfile reads the profile of the newest file that words name, and describes it.
func (c *conversation) tellProfile(l *found, words string) answer {
	if m := c.first(intaketools.GetProfile); m != nil {
		r, ok := decode[intaketools.Report](m)
		if !ok {
			return answer{text: "I could not read the profile: " + c.problem(m) + "."}
		}
		var columns []string
		for _, column := range r.Profile.Columns[:min(len(r.Profile.Columns), 30)] {
			text := fmt.Sprintf("- %q: %s", column.Name, column.Type)
			if meaning := r.Meanings[column.Name]; meaning != "" {
				text += ", " + meaning
			}
			if column.Min != "" {
				text += fmt.Sprintf(", from %s to %s", column.Min, column.Max)
			}
			columns = append(columns, text)
		}
		what := "Its kind is not recorded yet."
		if r.Kind != "" {
			what = fmt.Sprintf("%q is %s. %s", r.Name, r.Kind.Label(), r.Kind.Meaning())
		}
		if r.Corrected {
			what += " A person has corrected the kind or the meanings of columns."
		}
		return answer{text: tellChoice(l) + what + "\n" + describeQuality(&r) + "\nColumns:\n" + strings.Join(columns, "\n")}
	}
	if len(l.Files.Files) == 0 {
		return answer{text: tellNotFound(l, words)}
	}
	f := l.Files.Files[0]
	if f.File == "" || len(f.Columns) == 0 {
		return answer{text: fmt.Sprintf("%q does not have a report: %s.", f.Name, f.State)}
	}
	return answer{"", []call{{intaketools.GetProfile, map[string]any{"file": f.File}}}}
}
