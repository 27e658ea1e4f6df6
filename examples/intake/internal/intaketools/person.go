package intaketools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/objecttools"
)

var (
	namedHandle = regexp.MustCompile(`(^|\bthe file |\brows? of )(f\d+)\b`)
	// toolHint is the end of a correction that tells a model which tool to call.
	toolHint = regexp.MustCompile(`(: (use|call) [a-z]+_[a-z]+.*|\. Call [a-z]+_[a-z]+.*|, so this tool can't read it)$`)
)

// ForPerson returns a text of a tool with the names of files in place of their handles, and without hints for a model.
func ForPerson(text string, names map[string]string) string {
	text = namedHandle.ReplaceAllStringFunc(text, func(found string) string {
		i := strings.LastIndexByte(found, 'f')
		if name := names[found[i:]]; name != "" {
			return found[:i] + strconv.Quote(name)
		}
		return found
	})
	return toolHint.ReplaceAllString(text, "")
}

// CheckTable returns a sentence about why a file of the user can never be taken in, such as that it is an archive, or
// "" if it can. It reads the beginning of the file.
func CheckTable(ctx context.Context, store *files.Store, user scope.Scope, f *files.File) (string, error) {
	c := tools.NewCall(tools.CallOptions{Scope: user})
	handles, err := objecttools.Assign(c, f.Ref)
	if err != nil {
		return "", fmt.Errorf("intaketools: %w", err)
	}
	rows, err := objecttools.OpenRows(ctx, c, store.Bucket(), handles[0], nil)
	if err == nil {
		for _, err = range readRows(ctx, handles[0], rows) {
			break // the first row is enough
		}
	}
	if e, ok := errors.AsType[*tools.CorrectionError](err); ok {
		text := ForPerson(strings.TrimRight(e.Message, "."), map[string]string{handles[0]: f.Name})
		return strings.ToUpper(text[:1]) + text[1:] + ". It cannot be taken in.", nil
	}
	return "", err
}
