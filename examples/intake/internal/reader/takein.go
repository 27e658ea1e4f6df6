package reader

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/intaketools"
	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

const sampleRows = 20

// sampled is the result of sample.
type sampled struct {
	By      string   `json:"by"`
	Size    int64    `json:"size"`
	Columns []string `json:"columns"`
	Items   []item   `json:"items"`
}

type item struct {
	Text string   `json:"text"`
	Row  []string `json:"row"`
}

// takeIn returns the next step of taking in a file.
func (c *conversation) takeIn(id string) answer {
	list := c.first(intaketools.ListFiles)
	if list == nil {
		return answer{c.introduction(), []call{{intaketools.ListFiles, map[string]any{"upload_id": id}}}}
	}
	found, ok := decode[intaketools.Files](list)
	if !ok || len(found.Files) == 0 || found.Files[0].File == "" {
		return answer{text: "I cannot find the file: " + c.problem(list) + "."}
	}
	file := found.Files[0]
	sample := c.first(intaketools.Sample)
	switch {
	case sample == nil:
		text := "I look at rows from all over the file first.\n\n"
		args := map[string]any{"file": file.File, "count": sampleRows, "from": "spread"}
		return answer{text, []call{{intaketools.Sample, args}}}
	case sample.hasFailed():
		return answer{text: "I cannot read this file as a table: " + c.problem(sample) + ". It is not taken in."}
	}
	measured := c.first(intaketools.ProfileFile)
	switch {
	case measured == nil:
		text := c.finding(sample) + " Now I measure the whole file.\n\n"
		return answer{text, []call{{intaketools.ProfileFile, map[string]any{"file": file.File}}}}
	case measured.hasFailed():
		return answer{text: "I could not measure the file: " + c.problem(measured) + ". It is not taken in."}
	}
	report, ok := decode[intaketools.Report](measured)
	if !ok {
		return answer{text: "I could not read the measured profile. Please try again."}
	}
	guess := kinds.Recognize(columnsOf(&report))
	recorded := c.first(intaketools.RecordProfile)
	switch {
	case recorded == nil && report.IsRecorded():
		return answer{text: "This file was taken in before. " + report.Report.Summary}
	case recorded == nil:
		text := describeQuality(&report) + "\n\n"
		return answer{text, []call{{intaketools.RecordProfile, recordArgs(file.File, &report, guess)}}}
	case recorded.hasFailed():
		return answer{text: "I could not record the profile: " + c.problem(recorded) + "."}
	}
	return answer{text: closing(guess)}
}

// finding returns the first finding, from a sample.
func (c *conversation) finding(m *made) string {
	s, ok := decode[sampled](m)
	if !ok {
		return "I could not read the sample."
	}
	s.splitRecords()
	columns := columnsOfSample(&s)
	if len(columns) == 0 {
		return "The sample does not show single rows, so I cannot say yet what it is."
	}
	g := kinds.Recognize(columns)
	what := "I do not recognise the kind of data yet."
	switch {
	case g.Kind != kinds.Unknown && g.Sure:
		what = "This looks like " + g.Kind.Label() + "."
	case g.Kind != kinds.Unknown:
		what = "This may be " + g.Kind.Label() + ", or " + g.Next.Label() + "."
	}
	return fmt.Sprintf("%s %s It has %s. That is from a sample of %s, not from the whole file of %s.",
		what, g.Reason, plural(len(columns), "column"), plural(len(s.Items), "row"), bytesText(s.Size))
}

// splitRecords replaces the only line of a JSON file by its records.
func (s *sampled) splitRecords() {
	if s.By != "lines" || len(s.Items) != 1 {
		return
	}
	records := profile.Records([]byte(s.Items[0].Text))
	if len(records) == 0 {
		return
	}
	s.Items = nil
	for _, r := range records {
		s.Items = append(s.Items, item{Text: string(r)})
	}
}

// columnsOfSample returns the columns with values of the sampled rows. Rows of JSON are records, with a comma after
// them in an array.
func columnsOfSample(s *sampled) (columns []kinds.Column) {
	for _, name := range s.Columns {
		columns = append(columns, kinds.Column{Name: name})
	}
	for _, item := range s.Items {
		for i, v := range item.Row {
			if i < len(columns) && v != "" && len(columns[i].Examples) < 5 {
				columns[i].Examples = append(columns[i].Examples, v)
			}
		}
		text := strings.TrimSuffix(strings.TrimSpace(item.Text), ",")
		if len(s.Columns) > 0 || !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
			continue
		}
		fields, err := profile.Flatten([]byte(text))
		if err != nil {
			continue
		}
		for _, f := range fields {
			i := slices.IndexFunc(columns, func(c kinds.Column) bool { return c.Name == f.Name })
			if i < 0 {
				i, columns = len(columns), append(columns, kinds.Column{Name: f.Name})
			}
			if len(f.Value) > 0 && len(columns[i].Examples) < 5 {
				columns[i].Examples = append(columns[i].Examples, string(f.Value))
			}
		}
	}
	return columns
}

func columnsOf(r *intaketools.Report) (columns []kinds.Column) {
	for _, c := range r.Profile.Columns {
		columns = append(columns, kinds.Column{Name: c.Name, Examples: c.Examples})
	}
	return columns
}

// recordArgs returns the arguments of record_profile.
func recordArgs(handle string, r *intaketools.Report, g kinds.Guess) map[string]any {
	columns := []map[string]any{}
	for _, c := range g.Columns {
		isNamedOnce := !slices.ContainsFunc(columns, func(m map[string]any) bool { return m["name"] == c.Name })
		if c.Meaning != "" && isNamedOnce && len(c.Name) <= 200 {
			columns = append(columns, map[string]any{"name": c.Name, "meaning": c.Meaning})
		}
	}
	return map[string]any{"file": handle, "kind": string(g.Kind), "summary": summarize(r, g), "columns": columns}
}

// closing returns the last sentences of a run that has taken in a file.
func closing(g kinds.Guess) string {
	text := "The profile is recorded. "
	if g.Kind == kinds.Unknown {
		return text + g.Reason + " Please choose the kind yourself, then confirm."
	}
	if !g.Sure && g.Next != "" {
		text += "It could also be " + g.Next.Label() + ". "
	}
	return text + g.Kind.Meaning() + " Please look at the kind and the meanings of the columns, correct them if they " +
		"are wrong, and confirm."
}
