package reader

import (
	"regexp"
	"strconv"
	"strings"
)

// chatKind is the kind of a request in a chat.
type chatKind int

const (
	wantHelp chatKind = iota
	wantList
	wantMore
	wantSearch
	wantRead
	wantShare
)

// chatRequest is a parsed message of a person in a chat.
type chatRequest struct {
	kind   chatKind
	text   string // the words to search for, or of the book that is meant
	field  string // of a search: title, author, isbn or empty
	number int    // the place of the book in the last list, from 1; -1 is the last one
	id     string // the id of the book
}

// politeLead is what precedes a request.
var politeLead = regexp.MustCompile(`(?i)^(?:(?:please|hello|hi|hey|ok|okay|now|and|then)\b[\s,!.]*|` +
	`(?:can|could|would|will)\s+you\s+(?:please\s+)?)+`)

// The requests, each without what precedes and follows it. The group is the book or the words that are meant.
var (
	moreRequest = regexp.MustCompile(`(?i)^(?:(?:show|list|give)\s+(?:me\s+)?)?(?:the\s+)?` +
		`(?:more|next|continue|further)(?:\s+(?:ones?|books?|page|of\s+them))?$`)
	shareRequest = regexp.MustCompile(`(?i)^(?:share|publish)\s+(.+?)(?:\s+(?:with|to|for)\s+` +
		`(?:(?:all|the|my|our|every|other)\b.*|everybody|everyone|colleagues|them))?$`)
	listRequest = regexp.MustCompile(`(?i)^(?:` +
		`(?:list|show|see|give)\b(?:\s+me)?(?:\s+all)?(?:\s+of)?(?:\s+(?:my|the|our|your))?(?:\s+\w+)?` +
		`\s*(?:books?|shelf|library|catalogue|titles)?|` +
		`(?:what|which)(?:\s+books?)?(?:\s+\w+){0,2}\s+` +
		`(?:do\s+(?:i|we)\s+have|are\s+(?:there|here)|is\s+(?:there|here|on\s+\w+\s+shelf))(?:\s+on\s+\w+\s+shelf)?|` +
		`(?:my|all)\s+books)$`)
	searchRequest = regexp.MustCompile(`(?i)^(?:find|search(?:\s+(?:for|the\s+shelf\s+for))?|look(?:\s+(?:for|up))|` +
		`do\s+(?:i|we)\s+have|have\s+(?:i|we)(?:\s+got)?|is\s+there|are\s+there)\s+` +
		`(?:(?:any|a|the|some)\s+)?(?:books?\s+(?:about|on|with)\s+|book\s+)?(.+)$`)
	readRequest = regexp.MustCompile(`(?i)^(?:read|open|show(?:\s+me)?|describe|display|` +
		`tell\s+(?:me|us)\s+(?:more\s+)?about|what\s+do\s+(?:i|we|you)\s+know\s+about|` +
		`details\s+(?:of|on|about|for)|what\s+is|what's|who\s+wrote|when\s+was)\s+(.+?)(?:\s+about|\s+published)?$`)
)

// Parts of requests.
var (
	listWord = regexp.MustCompile(`(?i)\b(?:books?|shelf|library|catalogue|titles|have|there|here|list)\b`)
	ofAuthor = regexp.MustCompile(`(?i)\b(?:books?|anything|something|titles|works?|everything)\s+(?:\w+\s+)?` +
		`(?:by|of|from)\s+(.+)$`)
	ofTitle   = regexp.MustCompile(`(?i)\b(?:called|titled|entitled|named)\s+(.+)$`)
	placeTail = regexp.MustCompile(`(?i)\s+(?:(?:do\s+)?(?:i|we)\s+have|are\s+(?:there|here)|` +
		`(?:on|in)\s+(?:the|my|our)\s+(?:shelf|library|catalogue))$`)
	bookNumber = regexp.MustCompile(`(?i)^(?:the\s+)?(?:(?:number|no\.?|book|#)\s*)(\d{1,3})$|` +
		`^(?:the\s+)?(first|second|third|fourth|fifth|last)(?:\s+(?:one|book))?$|^(\d{1,2})$|` +
		`^(?:it|this|that|this\s+one|that\s+one|(?:this|that|the)\s+book)$`)
	bookID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	byAuthor = regexp.MustCompile(`(?i)\s+(?:by|from)\s+`)
	bookLead = regexp.MustCompile(`(?i)^(?:the\s+|my\s+|our\s+)?books?\s+`)
)

// readChatRequest parses a message.
func readChatRequest(prompt string) chatRequest {
	text := strings.Join(strings.Fields(prompt), " ")
	text = politeTail.ReplaceAllString(strings.TrimRight(text, " .!?"), "")
	text = politeLead.ReplaceAllString(strings.TrimRight(text, " .!?,"), "")
	switch {
	case moreRequest.MatchString(text):
		return chatRequest{kind: wantMore}
	case shareRequest.MatchString(text):
		return chatRequest{kind: wantShare}.of(shareRequest.FindStringSubmatch(text)[1])
	case bookNumber.MatchString(text):
		return chatRequest{kind: wantRead}.of(text)
	}
	if isbns := findISBNs(text); len(isbns) > 0 {
		return chatRequest{kind: wantSearch, text: isbns[0], field: "isbn"}
	}
	if m := ofAuthor.FindStringSubmatch(text); m != nil {
		return chatRequest{kind: wantSearch, text: unquote(m[1]), field: "author"}
	}
	if m := ofTitle.FindStringSubmatch(text); m != nil {
		return chatRequest{kind: wantSearch, text: unquote(m[1]), field: "title"}
	}
	if listRequest.MatchString(text) && listWord.MatchString(text) {
		return chatRequest{kind: wantList}
	}
	if m := searchRequest.FindStringSubmatch(text); m != nil {
		return chatRequest{kind: wantSearch, text: unquote(m[1])}
	}
	if m := readRequest.FindStringSubmatch(text); m != nil {
		return chatRequest{kind: wantRead}.of(m[1])
	}
	if bookID.MatchString(text) {
		return chatRequest{kind: wantRead}.of(text)
	}
	return chatRequest{}
}

// of sets the book that is meant.
func (r chatRequest) of(target string) chatRequest {
	if r.id = bookID.FindString(target); r.id != "" {
		return r
	}
	if m := bookNumber.FindStringSubmatch(target); m != nil {
		r.number = numberOf(m[1] + strings.ToLower(m[2]) + m[3])
		return r
	}
	r.text = byAuthor.ReplaceAllString(unquote(bookLead.ReplaceAllString(target, "")), " ")
	return r
}

// numberOf returns the number that a word names. An empty word, as of “it”, is the first one.
func numberOf(word string) int {
	for i, w := range []string{"", "first", "second", "third", "fourth", "fifth"} {
		if w == word {
			return max(i, 1)
		}
	}
	if word == "last" {
		return -1
	}
	n, err := strconv.Atoi(word)
	if err != nil || n == 0 {
		return 1000 // no list is that long
	}
	return n
}

// maxTarget is the longest text to search for in characters.
const maxTarget = 200

// unquote removes quotation marks around a text and words about the place of books, and truncates it.
func unquote(s string) string {
	s = strings.TrimSpace(strings.Trim(placeTail.ReplaceAllString(strings.TrimSpace(s), ""), `"“”„«»'‘’`))
	if r := []rune(s); len(r) > maxTarget {
		s = string(r[:maxTarget])
	}
	return s
}
