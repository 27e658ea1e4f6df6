package openlibrary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/catalogue"
	"github.com/carrel-go/carrel/scope"
)

// maxHits is the number of works that a search asks for.
const maxHits = 5

// searchFields are the members that a search asks for.
const searchFields = "key,title,subtitle,author_name"

// Search returns the works that match a title and an author, best first, under the rules of [catalogue.Rank]. One of
// them may be empty. The best one has its description.
func (c *Client) Search(ctx context.Context, s scope.Scope, title, author string) ([]catalogue.Match, error) {
	query := url.Values{"fields": {searchFields}, "limit": {strconv.Itoa(maxHits)}}
	switch t, a := queryWords(title), queryWords(author); {
	case t == "" && a == "":
		return nil, nil
	case t == "":
		query.Set("q", a) // a cover's text may be taken for an author
	case a == "":
		query.Set("title", t)
	default:
		query.Set("title", t)
		query.Set("author", a)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	body, err := c.get(ctx, s, "/search.json", query)
	if errors.Is(err, errNotFound) {
		return nil, errors.New("openlibrary: the search does not exist")
	}
	if err != nil {
		return nil, err
	}
	books, keys, err := parseHits(body)
	if err != nil {
		return nil, err
	}
	hits := catalogue.Rank(books, title, author)
	if len(hits) == 0 {
		return nil, nil
	}
	if key := keys[hits[0].Book]; key != "" {
		work, err := c.getOptional(ctx, s, key)
		if err != nil {
			return nil, err
		}
		hits[0].Book.Description = cleanDescription(readText(work.Description))
	}
	return hits, nil
}

// parseHits returns the books in the answer to a search, without duplicates, and the keys of their works. The service
// answers without numFound if its index has failed.
func parseHits(body []byte) ([]catalogue.Book, map[catalogue.Book]string, error) {
	var answer struct {
		Found *int64 `json:"numFound"`
		Docs  []struct {
			Key      json.RawMessage `json:"key"`
			Title    json.RawMessage `json:"title"`
			Subtitle json.RawMessage `json:"subtitle"`
			Authors  json.RawMessage `json:"author_name"`
		} `json:"docs"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, nil, fmt.Errorf("%w: search: %w", errNotJSON, err)
	}
	if answer.Found == nil {
		return nil, nil, errors.New("openlibrary: the search has failed within the service")
	}
	var books []catalogue.Book
	keys := make(map[catalogue.Book]string)
	for _, d := range answer.Docs[:min(len(answer.Docs), maxHits)] {
		b := catalogue.Book{
			Title: joinTitle(readText(d.Title), readText(d.Subtitle)), Author: joinAuthors(readTexts(d.Authors), false),
		}
		if _, twice := keys[b]; b.Title == "" || twice {
			continue
		}
		books = append(books, b)
		keys[b] = ""
		if key := readKey(d.Key); strings.HasPrefix(key, "/works/") && recordKey.MatchString(key) {
			keys[b] = key
		}
	}
	return books, keys, nil
}
