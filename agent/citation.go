package agent

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Citation is the source of a text of an answer, in the words of the model's service.
type Citation struct {
	// Text is the text of the answer that the citation supports. It is also a separate part, or the end of one, before
	// the citation. It may be empty: some services do not say.
	Text string `json:"text,omitempty"`
	// Source and Title name what is cited. Either may be empty.
	Source string `json:"source,omitempty"`
	Title  string `json:"title,omitempty"`
	// Quotes are the cited passages of the source.
	Quotes []string `json:"quotes,omitempty"`
	// Location is the place in the source.
	Location Location `json:"location,omitzero"`
}

// Location is a place in the source of a [Citation].
type Location struct {
	// Kind is the unit of Index, Start and End: "char", "page" or "chunk" of a document, "search_result", or "web",
	// which has a URL instead. Services may add others. It is empty if the service does not name a place.
	Kind string `json:"kind,omitempty"`
	// Index is the number of the document, or of the search result, in the request, from 0.
	Index int `json:"index"`
	// Start and End are the range of the passage, as the service counts.
	Start int `json:"start"`
	End   int `json:"end"`
	// URL and Domain are the page, of the kind "web".
	URL    string `json:"url,omitempty"`
	Domain string `json:"domain,omitempty"`
}

func (c *Citation) check() error {
	l := c.Location
	for _, s := range append([]string{c.Text, c.Source, c.Title, l.Kind, l.URL, l.Domain}, c.Quotes...) {
		if !utf8.ValidString(s) {
			return errors.New("the citation is not UTF-8")
		}
	}
	if min(l.Index, l.Start, l.End) < 0 {
		return fmt.Errorf("the citation has a negative place: %+v", l)
	}
	return nil
}
