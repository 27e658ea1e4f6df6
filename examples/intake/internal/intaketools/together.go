package intaketools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
	"github.com/carrel-go/carrel/examples/intake/internal/query"
	"github.com/carrel-go/carrel/tools"
)

const togetherDescription = "Group the rows of several files and add their groups, to find the largest or smallest " +
	"ones of all files: those of one file alone may be others. Each query is one of query_file with group_by and the " +
	"same measures; limit and ascending of the first one count. Example: {\"queries\": [{\"file\": \"f1\", " +
	"\"group_by\": [\"sku\"], \"measures\": [{\"function\": \"sum\", \"column\": \"quantity\"}], \"limit\": 5}, " +
	"{\"file\": \"f2\", \"group_by\": [\"article\"], \"measures\": [{\"function\": \"sum\", \"column\": \"qty\"}]}]}."

type togetherIn struct {
	Queries []queryIn `json:"queries" jsonschema:"a query for each file" minitems:"2" maxitems:"20"`
}

// Together is the result of query_files.
type Together struct {
	Files []string `json:"files"`
	query.Result
	// Complete reports that all files were read to their ends.
	Complete bool     `json:"complete"`
	Notes    []string `json:"notes,omitempty"`
}

// Summary implements [tools.Summarizer].
func (t Together) Summary() string {
	return fmt.Sprintf("%s together: %s", profile.CountOf(int64(len(t.Files)), "file", "files"),
		profile.CountOf(int64(t.Groups), "group", "groups"))
}

// queryFiles reads each file after the other, and adds their groups.
func (b *toolbox) queryFiles(ctx context.Context, c *tools.Call, in togetherIn) (Together, error) {
	var all query.Together
	out := Together{Complete: true}
	for _, one := range in.Queries {
		if len(one.Groups) > 0 {
			return Together{}, tools.Correct("groups is not for query_files. Leave it out.")
		}
		a, q, err := b.scanFile(ctx, c, one)
		if err != nil {
			return Together{}, err
		}
		switch err := all.Add(q, a.Unit); {
		case errors.Is(err, query.ErrOptions), errors.Is(err, query.ErrTypes), errors.Is(err, query.ErrLongNames):
			text := strings.TrimPrefix(err.Error(), query.ErrOptions.Error()+": ")
			return Together{}, tools.Correct(strings.TrimPrefix(text, "query: "))
		case err != nil:
			return Together{}, fmt.Errorf("intaketools: %w", err)
		}
		out.Files, out.Complete = append(out.Files, a.File), out.Complete && a.Complete
		for _, note := range a.Notes {
			out.Notes = append(out.Notes, a.File+": "+note)
		}
	}
	out.Result = all.Result()
	if out.LeftOut > 0 {
		const note = "a file has more than %d groups, or all of them have more than %d: rows of further groups are left " +
			"out, so the result may be wrong"
		out.Notes = append(out.Notes, fmt.Sprintf(note, query.MaxGroups, query.MaxTogether))
	}
	out.Notes = append(out.Notes, out.Result.Notes...)
	return out, nil
}
