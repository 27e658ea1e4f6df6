package openlibrary

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// record is an edition, a work or an author. Its members are read leniently, since people edit them: a text may be a
// string or an object with a value, and each member may be missing or have an unexpected type.
type record struct {
	Type        json.RawMessage `json:"type"`
	Location    json.RawMessage `json:"location"` // of a record that has been merged into another
	Key         json.RawMessage `json:"key"`
	Name        json.RawMessage `json:"name"` // of an author
	Title       json.RawMessage `json:"title"`
	Subtitle    json.RawMessage `json:"subtitle"`
	Publishers  json.RawMessage `json:"publishers"`
	PublishDate json.RawMessage `json:"publish_date"`
	Description json.RawMessage `json:"description"`
	Works       json.RawMessage `json:"works"`
	Authors     json.RawMessage `json:"authors"`
	ISBN10      json.RawMessage `json:"isbn_10"`
	ISBN13      json.RawMessage `json:"isbn_13"`
}

// maxMerges is how often a record may have been merged into another.
const maxMerges = 2

// recordKey matches the keys of records.
var recordKey = regexp.MustCompile(`^/(?:books/OL[1-9][0-9]{0,11}M|works/OL[1-9][0-9]{0,11}W|authors/OL[1-9][0-9]{0,11}A)$`)

// getRecord returns the record with this path. It returns errNotFound for a deleted one. A merged record is answered
// with the key of the record that replaces it.
func (c *Client) getRecord(ctx context.Context, s scope.Scope, path string) (record, error) {
	for range maxMerges + 1 {
		body, err := c.get(ctx, s, path, nil)
		if err != nil {
			return record{}, err
		}
		var r record
		if err := json.Unmarshal(body, &r); err != nil {
			return record{}, fmt.Errorf("%w: %s: %w", errNotJSON, path, err)
		}
		switch readKey(r.Type) {
		case "/type/delete":
			return record{}, errNotFound
		case "/type/redirect":
			to := readText(r.Location)
			if !recordKey.MatchString(to) {
				return record{}, fmt.Errorf("openlibrary: %s is merged into a record with an invalid key", path)
			}
			path = to + ".json"
		default:
			return r, nil
		}
	}
	return record{}, errRedirects
}

// readText returns a text that is a string or an object with a value. It returns "" for anything else.
func readText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var typed struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(raw, &typed) == nil {
		return typed.Value
	}
	return ""
}

// readTexts returns the texts in a list.
func readTexts(raw json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		if s := readText(item); strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

// readKey returns a key that is a string or an object with a key.
func readKey(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var reference struct {
		Key string `json:"key"`
	}
	if json.Unmarshal(raw, &reference) == nil {
		return reference.Key
	}
	return ""
}

// readKeys returns the keys of a kind of records, for example "/authors/", in a list of references. A reference of a
// work to an author is within an object that also has the author's role.
func readKeys(raw json.RawMessage, kind string) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		key := readKey(item)
		var role struct {
			Author json.RawMessage `json:"author"`
		}
		if key == "" && json.Unmarshal(item, &role) == nil {
			key = readKey(role.Author)
		}
		if strings.HasPrefix(key, kind) && recordKey.MatchString(key) {
			out = append(out, key)
		}
	}
	return out
}
