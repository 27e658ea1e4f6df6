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
	Text string
	// Source and Title name what is cited. Either may be empty.
	Source, Title string
	// Quotes are the cited passages of the source.
	Quotes []string
	// Location is the place in the source.
	Location Location
}

// Location is a place in the source of a [Citation].
type Location struct {
	// Kind is the unit of Index, Start and End: "char", "page" or "chunk" of a document, "search_result", or "web",
	// which has a URL instead. Services may add others. It is empty if the service does not name a place.
	Kind string
	// Index is the number of the document, or of the search result, in the request, from 0.
	Index int
	// Start and End are the range of the passage, as the service counts.
	Start, End int
	// URL and Domain are the page, of the kind "web".
	URL, Domain string
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
