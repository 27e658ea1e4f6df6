package reader

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/librarytools"
)

// chat is the state of a run in a conversation about the accepted books.
type chat struct {
	*conversation
	want  chatRequest
	shown shownBooks // by the runs before
}

// shownBooks are the books of the last list or search that was answered.
type shownBooks struct {
	librarytools.Books
	use agent.ToolUse // the call that found them
}

func newChat(c *conversation, req *agent.Request) *chat {
	return &chat{conversation: c, want: readChatRequest(c.prompt), shown: lastShown(req, c.start)}
}

// lastShown returns the books that were shown before the message with that index.
func lastShown(req *agent.Request, before int) (shown shownBooks) {
	uses := make(map[string]agent.ToolUse)
	for _, m := range req.Messages[:before] {
		for _, p := range m.Parts {
			switch {
			case p.Use != nil:
				uses[p.Use.ID] = *p.Use
			case p.Result != nil:
				use := uses[p.Result.ID]
				if use.Name != librarytools.ListBooks && use.Name != librarytools.SearchBooks {
					continue
				}
				if books, ok := decodeResult[librarytools.Books](&toolCall{use: use, result: &p.Result.Result}); ok {
					shown = shownBooks{books, use}
				}
			}
		}
	}
	return shown
}

// nextTurn returns the next answer. Each answer makes a new call or ends the run, after at most three calls.
func (c *chat) nextTurn() turn {
	if len(c.calls) > 0 {
		if last := c.calls[len(c.calls)-1]; last.hasFailed() {
			reason := last.errorText()
			if reason+"." == librarytools.NotLibrarian { // a text for a model
				return turn{text: "Only librarians may share books. Please ask one of them."}
			}
			return turn{text: "That did not work: " + reason + "."}
		}
	}
	switch c.want.kind {
	case wantList:
		return c.answerList(librarytools.ListBooks, map[string]any{})
	case wantSearch:
		args := map[string]any{"text": c.want.text}
		if c.want.field != "" {
			args["field"] = c.want.field
		}
		return c.answerList(librarytools.SearchBooks, args)
	case wantMore:
		return c.answerMore()
	case wantRead, wantShare:
		return c.answerBook()
	}
	return turn{text: chatHelp}
}

const chatHelp = "I am the bookshelf's offline reader: a program that follows fixed steps, not a language model. " +
	"I understand “list my books”, “more”, “find Austen”, “books by Jane Austen”, an ISBN, “tell me about Emma”, " +
	"“read number 2” and “share Emma”."

const noAnswer = "The shelf did not answer. Please try again later."

// call returns an answer with one call.
func (c *chat) call(announce, tool string, args map[string]any) turn {
	if !c.offered[tool] {
		return turn{text: "I cannot do that here."}
	}
	thought := "The tool " + tool + " answers this."
	return turn{text: announce + "\n\n", calls: []callRequest{{tool, args}}, thought: thought}
}

// answerList lists books and then tells them.
func (c *chat) answerList(tool string, args map[string]any) turn {
	d := c.firstCall(tool)
	if d == nil {
		return c.call("I look at the shelf.", tool, args)
	}
	books, ok := decodeResult[librarytools.Books](d)
	if !ok {
		return turn{text: noAnswer}
	}
	return turn{text: tellBooks(books)}
}

// answerMore asks for the next page of the books that were shown.
func (c *chat) answerMore() turn {
	if c.shown.Next == "" {
		return turn{text: "There are no more books."}
	}
	args := map[string]any{}
	if err := json.Unmarshal(c.shown.use.Input, &args); err != nil {
		return turn{text: chatHelp}
	}
	args["cursor"] = c.shown.Next
	return c.answerList(c.shown.use.Name, args)
}

// answerBook finds the book that the person means, then reads or shares it.
func (c *chat) answerBook() turn {
	row, t, found := c.findBook()
	if !found {
		return t
	}
	if c.want.kind == wantRead {
		d := c.firstCall(librarytools.ReadBook)
		if d == nil {
			return c.call("I open the book.", librarytools.ReadBook, map[string]any{"book_id": row.ID})
		}
		book, ok := decodeResult[librarytools.BookDetail](d)
		if !ok {
			return turn{text: noAnswer}
		}
		return turn{text: tellBook(book)}
	}
	d := c.firstCall(librarytools.ShareBook)
	if d == nil {
		args := map[string]any{"book_id": row.ID, "version": row.Version}
		words := "I ask whether " + row.Name() + " may be shared."
		if row.Shared >= row.Version {
			words = "I check who can see " + row.Name() + "."
		}
		return c.call(words, librarytools.ShareBook, args)
	}
	return turn{text: "All colleagues can see " + row.Name() + " now."}
}

// findBook returns the book that the person means, or the next answer if it is not found yet.
func (c *chat) findBook() (row librarytools.Row, t turn, found bool) {
	switch n := c.want.number; {
	case n != 0:
		if n < 0 {
			n = len(c.shown.Books.Books) // the last one
		}
		if n < 1 || n > len(c.shown.Books.Books) {
			return row, turn{text: "I do not know which book you mean. Say “list my books” first, or name its title."}, false
		}
		return c.shown.Books.Books[n-1], turn{}, true
	case c.want.id != "":
		d := c.firstCall(librarytools.ReadBook)
		if d == nil {
			args := map[string]any{"book_id": c.want.id}
			return row, c.call("I open the book.", librarytools.ReadBook, args), false
		}
		book, ok := decodeResult[librarytools.BookDetail](d)
		return book.Row, turn{text: noAnswer}, ok
	}
	d := c.firstCall(librarytools.SearchBooks)
	if d == nil {
		args := map[string]any{"text": c.want.text}
		return row, c.call("I look for “"+c.want.text+"”.", librarytools.SearchBooks, args), false
	}
	books, _ := decodeResult[librarytools.Books](d)
	if exact := slices.IndexFunc(books.Books, func(r librarytools.Row) bool {
		return strings.EqualFold(r.Title, c.want.text)
	}); exact >= 0 && c.want.kind == wantRead {
		return books.Books[exact], turn{}, true
	}
	switch len(books.Books) {
	case 0:
		return row, turn{text: "I could not find “" + c.want.text + "” on the shelf."}, false
	case 1:
		return books.Books[0], turn{}, true
	}
	return row, turn{text: tellBooks(books) + "\n\nWhich one do you mean? Say, for example, “number 1”."}, false
}

// tellBooks lists books for a person.
func tellBooks(b librarytools.Books) string {
	if len(b.Books) == 0 && b.Next == "" {
		return "I found no books."
	}
	lines := []string{"I found 1 book:"}
	if n := len(b.Books); n != 1 {
		lines[0] = fmt.Sprintf("I found %d books:", n)
	}
	for i, r := range b.Books {
		line := fmt.Sprintf("%d. %s", i+1, r.Name())
		if r.Year != 0 {
			line += fmt.Sprintf(" (%d)", r.Year)
		}
		if r.Owner == librarytools.OwnerColleague {
			line += ", shared by a colleague"
		}
		lines = append(lines, line)
	}
	if b.Next != "" {
		lines = append(lines, "There may be more. Say “more” to see them.")
	}
	return strings.Join(lines, "\n")
}

// tellBook describes one book for a person.
func tellBook(b librarytools.BookDetail) string {
	say := []string{"This is " + b.Name() + "."}
	switch {
	case b.Publisher != "" && b.Year != 0:
		say = append(say, fmt.Sprintf("It was published by %s in %d.", b.Publisher, b.Year))
	case b.Publisher != "":
		say = append(say, "It was published by "+b.Publisher+".")
	case b.Year != 0:
		say = append(say, fmt.Sprintf("It was published in %d.", b.Year))
	}
	if b.ISBN != "" {
		say = append(say, "Its ISBN is "+b.ISBN+".")
	}
	if b.Shared != 0 {
		say = append(say, fmt.Sprintf("Version %d is shared with all colleagues.", b.Shared))
	}
	if b.Description != "" {
		say = append(say, "Its description: "+b.Description)
	}
	return strings.Join(say, " ")
}
