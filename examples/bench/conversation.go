package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
)

const (
	turns     = 10
	toolCalls = 20
	system    = "You look after a shelf of books."
	prompt    = "Which of the books on the shelf are about whales?"
	toolName  = "find_books"
	toolAbout = "Finds books on the shelf by subject."
)

// query is the tool's input.
type query struct {
	Subject string   `json:"subject" jsonschema:"the subject, in one word"`
	Shelf   int      `json:"shelf" jsonschema:"the number of the shelf"`
	Words   []string `json:"words" jsonschema:"words that the title should hold"`
	Limit   *float64 `json:"limit,omitempty" jsonschema:"how many at most"`
}

// call is one call of the model.
type call struct{ ID, Input string }

// turn is one answer of the model: text in pieces, then calls.
type turn struct {
	Text  []string
	Calls []call
}

// script is the conversation.
func script() []turn {
	var out []turn
	n := 0
	for i := range turns - 1 {
		t := turn{Text: pieces(i, 8)}
		for range 2 + i/7 {
			input, err := json.Marshal(arguments(n))
			if err != nil {
				panic(err) // strings and numbers marshal
			}
			t.Calls = append(t.Calls, call{fmt.Sprintf("call-%d", n), string(input)})
			n++
		}
		out = append(out, t)
	}
	return append(out, turn{Text: pieces(turns, 20)})
}

func pieces(turn, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("piece %d of turn %d, ", i, turn))
	}
	return out
}

// arguments returns the arguments of the n-th call.
func arguments(n int) query {
	limit := float64(n)
	return query{Subject: "whales", Shelf: n, Words: []string{"sea", "white"}, Limit: &limit}
}

// closing is the last text of the conversation.
func closing() string { return strings.Join(pieces(turns, 20), "") }

// shelf is the tool's data. It counts the calls and adds up their shelves, to show that the arguments arrived.
type shelf struct{ calls, sum atomic.Int64 }

func (s *shelf) find(_ context.Context, q query) (string, error) {
	if q.Subject != "whales" || len(q.Words) != 2 || q.Limit == nil || *q.Limit != float64(q.Shelf) {
		return "", fmt.Errorf("unexpected arguments: %+v", q)
	}
	s.calls.Add(1)
	s.sum.Add(int64(q.Shelf))
	return fmt.Sprintf("2 books on %s on shelf %d", q.Subject, q.Shelf), nil
}

// check returns an error if the run was not complete or ended with another text.
func (s *shelf) check(said string) error {
	if n, sum := s.calls.Swap(0), s.sum.Swap(0); n != toolCalls || sum != toolCalls*(toolCalls-1)/2 {
		return fmt.Errorf("unexpected %d tool calls with shelf sum %d", n, sum)
	}
	if said != closing() {
		return fmt.Errorf("unexpected last text %q", said)
	}
	return nil
}

// contestant is a library with its prepared conversation.
type contestant struct {
	name, module string
	// run executes the conversation once and checks it.
	run func(ctx context.Context) error
}

// contestants prepares all libraries.
func contestants(ctx context.Context) ([]contestant, error) {
	var out []contestant
	for _, c := range []struct {
		name, module string
		setUp        func(context.Context) (func(context.Context) error, error)
	}{
		{"carrel", "github.com/carrel-go/carrel", setUpCarrel},
		{"eino", "github.com/cloudwego/eino", setUpEino},
		{"genkit", "github.com/firebase/genkit/go", setUpGenkit},
		{"fantasy", "charm.land/fantasy", setUpFantasy},
	} {
		run, err := c.setUp(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		out = append(out, contestant{c.name, c.module, run})
	}
	return out, nil
}
