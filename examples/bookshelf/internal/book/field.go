package book

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Field is the JSON name of a field.
type Field string

// The fields of [Metadata].
const (
	Title         Field = "title"
	Author        Field = "author"
	ISBN          Field = "isbn"
	Publisher     Field = "publisher"
	PublishedYear Field = "published_year"
	Description   Field = "description"
	Confidence    Field = "confidence"
)

// Fields returns the fields in reading order.
func Fields() []Field {
	return []Field{Title, Author, ISBN, Publisher, PublishedYear, Description, Confidence}
}

// Valid reports whether f is one of [Fields].
func (f Field) Valid() bool { return slices.Contains(Fields(), f) }

// Bounds of the values. Lengths are in runes.
const (
	MaxText        = 500  // title, author, publisher
	MaxDescription = 4000 // description
	MinYear        = 1000
	MaxYear        = 2100
)

// Update is one field with its new value. Null clears it. Its JSON is {"field": "published_year", "value": 1815}: a
// year is an integer, a confidence a number, everything else a string.
type Update struct {
	Field Field           `json:"field"`
	Value json.RawMessage `json:"value"`
}

// Text returns the value as readable text.
func (u Update) Text() string {
	var s string
	if json.Unmarshal(u.Value, &s) == nil {
		return s
	}
	return string(u.Value)
}

// Parse reads the value of the field from text and checks it like [Metadata.Apply]. It reads an ISBN with [ParseISBN],
// which also checks the check digit, since a wrong one is nearly always a misreading. It does not trim or repair other
// text. It returns a [FieldError] if the text is invalid.
func (f Field) Parse(text string) (Update, error) {
	var v any = text
	switch f {
	case PublishedYear:
		n, err := strconv.Atoi(text)
		if err != nil {
			return Update{}, &FieldError{f, "must be a year in digits, for example 1999"}
		}
		v = n
	case Confidence:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= 0 && x <= 1) {
			return Update{}, &FieldError{f, "must be a number from 0 to 1"}
		}
		v = x
	case ISBN:
		digits, err := ParseISBN(text)
		if err != nil {
			return Update{}, err
		}
		v = digits
	}
	if s, ok := v.(string); ok {
		if err := f.checkText(s); err != nil {
			return Update{}, err
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return Update{}, fmt.Errorf("book: encode %s: %w", f, err)
	}
	u := Update{Field: f, Value: raw}
	return u, new(Metadata).Apply(u)
}

// Apply sets the field to the value, or clears it if the value is null. If the value is invalid, Apply returns a
// [FieldError] and does not change m.
func (m *Metadata) Apply(u Update) error {
	f, raw := u.Field, bytes.TrimSpace(u.Value)
	switch p := m.fieldPointer(f).(type) {
	case **int:
		return setValue(p, raw, parseYear)
	case **float64:
		return setValue(p, raw, parseConfidence)
	case **string:
		return setValue(p, raw, f.parseText)
	}
	return &FieldError{f, "is not a field of a book"}
}

// setValue sets the pointer to the parsed value, or to nil if raw is null. It does not change the pointer if raw is
// invalid.
func setValue[T any](p **T, raw []byte, parse func([]byte) (T, error)) error {
	if string(raw) == "null" {
		*p = nil
		return nil
	}
	v, err := parse(raw)
	if err == nil {
		*p = &v
	}
	return err
}

func parseYear(raw []byte) (int, error) {
	var n int
	if err := json.Unmarshal(raw, &n); err != nil {
		return 0, &FieldError{PublishedYear, "must be an integer, for example 1999, or null"}
	}
	if n < MinYear || n > MaxYear {
		return 0, &FieldError{PublishedYear, fmt.Sprintf("must be between %d and %d", MinYear, MaxYear)}
	}
	return n, nil
}

func parseConfidence(raw []byte) (float64, error) {
	var x float64
	if err := json.Unmarshal(raw, &x); err != nil || !(x >= 0 && x <= 1) {
		return 0, &FieldError{Confidence, "must be a number from 0 to 1, or null"}
	}
	return x + 0, nil // normalize -0, whose encoding would differ
}

func (f Field) parseText(raw []byte) (string, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || !utf8.Valid(raw) {
		return "", &FieldError{f, "must be text or null"}
	}
	return s, f.checkText(s)
}

// checkText checks the value of a text field.
func (f Field) checkText(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		return &FieldError{f, "must be valid UTF-8 text, but has damaged characters"}
	case strings.TrimSpace(s) == "":
		return &FieldError{f, "is blank: leave the field out instead"}
	}
	for _, r := range s {
		if unicode.IsControl(r) && (f != Description || r != '\n') {
			return &FieldError{f, fmt.Sprintf("must not have the control character %U", r)}
		}
		if unicode.Is(unicode.Bidi_Control, r) { // it could make a name look like another
			return &FieldError{f, fmt.Sprintf("must not have the character %U, which changes the direction of text", r)}
		}
	}
	limit := MaxText
	if f == Description {
		limit = MaxDescription
	}
	if utf8.RuneCountInString(s) > limit {
		return &FieldError{f, fmt.Sprintf("must have at most %d characters", limit)}
	}
	if f == ISBN && !hasISBNShape(s) {
		return &FieldError{f, isbnForm}
	}
	return nil
}
