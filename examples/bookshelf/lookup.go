package main

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/booktools"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/lookupcache"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/openlibrary"
	"github.com/carrel-go/carrel/scope/table"
)

// The values of -lookup.
const (
	lookupBuiltin     = "builtin"
	lookupOpenLibrary = "openlibrary"
)

// checkLookup validates the settings of the look-up.
func (c config) checkLookup() error {
	switch c.lookup {
	case "", lookupBuiltin:
		if c.lookupContact != "" {
			return errors.New("-lookup-contact requires -lookup openlibrary")
		}
		return nil
	case lookupOpenLibrary:
		if c.lookupContact == "" {
			return errors.New("-lookup openlibrary requires -lookup-contact: Open Library refuses programs that do not " +
				"name an email address or a URL under which it can reach somebody")
		}
		return nil
	}
	return fmt.Errorf("-lookup: invalid source %q: must be builtin or openlibrary", c.lookup)
}

// newSource returns where the agent looks books up. Nil means the built-in catalogue. Another source is an
// implementation of booktools.Source, with a cache if it is asked over the network.
func newSource(c config, tb *table.Table) (booktools.Source, error) {
	if c.lookup != lookupOpenLibrary {
		return nil, nil
	}
	books, err := openlibrary.New(c.lookupContact, &openlibrary.Options{Transport: c.lookupTransport})
	if err != nil {
		return nil, fmt.Errorf("-lookup-contact: %w", err)
	}
	return lookupcache.New(books, tb.System(), &lookupcache.Options{Log: c.log})
}
