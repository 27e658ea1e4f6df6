package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/tools"
)

// The limits of a list of tools.
const (
	maxPages       = 64
	maxListed      = 1000
	maxDescription = 4 << 10 // bytes
)

// ImportOptions configures [Import]. A nil *ImportOptions is valid.
type ImportOptions struct {
	// Name is the name of the server in results. Default: the host of the endpoint.
	Name string
	// Prefix begins the name of each tool, such as "weather_", to tell it from local tools. Default: none.
	Prefix string
	// Only lists the tools to import by the server's names. If nil, all are imported. A tool that the server does not have
	// is an error.
	Only []string
	// Allow lists property names that are accepted although they contain a reserved word: see [tools.Options].
	Allow []string
	// Rejected, if non-nil, receives each tool that breaks the rules, which is then left out. If nil, Import returns an
	// error for such a tool.
	Rejected func(name string, err error)
	// Middleware wraps each tool, the first outermost.
	Middleware []tools.Middleware

	// Client sends the requests. Its transport adds the credentials for the server, which are the same for all callers. It
	// is copied, and does not follow redirects. If nil, requests do not have credentials.
	Client *http.Client
	// Timeout limits the import, and each call. Default: 1 minute.
	Timeout time.Duration
	// MaxResult is the largest response in bytes. A larger one is cut off while it is read, and the call fails. Default:
	// 1 MiB.
	MaxResult int64
}

// Import connects to the MCP server at endpoint, an http or https URL, and returns its tools. Close the Remote after
// use.
//
// Names and schemas must keep the rules of [tools.FromSchema]: a schema that asks for an identity or accepts any name
// is rejected. So is a description of more than 4 KiB or with invisible characters. The tools are those of the moment
// of the import: later changes of the list, of descriptions and of schemas are ignored.
func Import(ctx context.Context, endpoint string, o *ImportOptions) (*Remote, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("mcp: import: invalid endpoint %.200q: must be an http or https URL", endpoint)
	}
	if o == nil {
		o = &ImportOptions{}
	}
	if o.Timeout < 0 || o.MaxResult < 0 {
		return nil, errors.New("mcp: import: invalid negative limit")
	}
	opt := *o
	opt.Name, opt.Timeout = cmp.Or(opt.Name, u.Host), cmp.Or(opt.Timeout, time.Minute)
	opt.MaxResult = cmp.Or(opt.MaxResult, 1<<20)
	r := newRemote(endpoint, opt)
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	if r.set, err = r.load(ctx); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("mcp: import: %w", err)
	}
	return r, nil
}

// load returns the tools of the server.
func (r *Remote) load(ctx context.Context) (tools.Set, error) {
	listed, err := r.list(ctx)
	if err != nil {
		return tools.Set{}, err
	}
	var all []*tools.Tool
	missing := slices.Clone(r.o.Only)
	for _, t := range listed {
		if r.o.Only != nil && !slices.Contains(r.o.Only, t.Name) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == t.Name })
		tool, err := r.newTool(t)
		switch {
		case err == nil:
			all = append(all, tool)
		case r.o.Rejected == nil:
			return tools.Set{}, err
		default:
			r.o.Rejected(t.Name, err)
		}
	}
	if len(missing) > 0 {
		return tools.Set{}, fmt.Errorf("the server does not have the tools %q", missing)
	}
	set := tools.Of(all...)
	return set, set.Err()
}

// list returns the tools of all pages.
func (r *Remote) list(ctx context.Context) ([]*sdk.Tool, error) {
	session, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	var all []*sdk.Tool
	var cursors []string
	p := &sdk.ListToolsParams{}
	for range maxPages {
		page, err := session.ListTools(ctx, p)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Tools...); len(all) > maxListed {
			return nil, fmt.Errorf("the server lists more than %d tools", maxListed)
		}
		if page.NextCursor == "" {
			return all, nil
		}
		if slices.Contains(cursors, page.NextCursor) {
			return nil, errors.New("the server's list repeats a cursor")
		}
		cursors = append(cursors, page.NextCursor)
		p = &sdk.ListToolsParams{Cursor: page.NextCursor}
	}
	return nil, fmt.Errorf("the server's list has more than %d pages", maxPages)
}

// newTool returns a tool that calls t of the server.
func (r *Remote) newTool(t *sdk.Tool) (*tools.Tool, error) {
	schema, err := json.Marshal(t.InputSchema)
	if err != nil {
		return nil, err
	}
	desc := cmp.Or(t.Description, t.Title, t.Name)
	if len(desc) > maxDescription {
		return nil, fmt.Errorf("%.80q has a description of %d bytes, must have at most %d", t.Name, len(desc), maxDescription)
	}
	if strings.ContainsFunc(desc, isInvisible) || hasInvisible(schema) {
		return nil, fmt.Errorf("%.80q has invisible characters in its description", t.Name)
	}
	mw := append(slices.Clone(r.o.Middleware), tools.Timeout(r.o.Timeout))
	return tools.FromSchema(r.o.Prefix+t.Name, desc, schema, r.newHandler(t.Name), &tools.Options{Allow: r.o.Allow}, mw...)
}

// hasInvisible reports whether a string of the JSON has an invisible character, also as an escape.
func hasInvisible(raw json.RawMessage) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.Token()
		if err != nil {
			return !errors.Is(err, io.EOF)
		}
		if s, ok := token.(string); ok && strings.ContainsFunc(s, isInvisible) {
			return true
		}
	}
}

// isInvisible reports whether a person who reviews a description would not see c: controls, marks of direction, tags,
// spaces without width and variation selectors. Joiners and the selectors of emoji are not among them, since languages
// need them.
func isInvisible(c rune) bool {
	const nonJoiner, joiner, textSelector, emojiSelector = 0x200c, 0x200d, 0xfe0e, 0xfe0f
	switch c {
	case '\n', '\r', '\t', nonJoiner, joiner, textSelector, emojiSelector:
		return false
	case utf8.RuneError:
		return true
	}
	return unicode.IsControl(c) ||
		unicode.In(c, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			!unicode.Is(unicode.Prepended_Concatenation_Mark, c)
}
