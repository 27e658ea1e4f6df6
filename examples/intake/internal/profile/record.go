package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxDepth is the number of objects within objects whose members are columns. Deeper values are texts.
const maxDepth = 3

// Field is a value of a record.
type Field struct {
	Name  string
	Value []byte
	// IsNumber reports that the value is a number of JSON.
	IsNumber bool
	// IsString reports that it is a string of JSON.
	IsString bool
}

var errNotObject = errors.New("profile: the record is not an object")

// Flatten returns the values of a record of JSON, in order. The members of an object within it have names with a dot,
// and an array is the text of its JSON. A dot or a backslash that is part of a name has a backslash before it, so
// {"a":{"b":1}} has the column a.b and {"a.b":1} the column a\.b. A record that is not an object has one value with the
// name value.
func Flatten(record []byte) ([]Field, error) {
	var fields []Field
	err := flatten(record, "", 0, &fields)
	if errors.Is(err, errNotObject) {
		var v json.RawMessage
		if err := json.Unmarshal(record, &v); err != nil {
			return nil, fmt.Errorf("profile: %w", err)
		}
		return []Field{{Name: "value", Value: plain(bytes.TrimSpace(record))}}, nil
	}
	return fields, err
}

func flatten(record []byte, prefix string, depth int, fields *[]Field) error {
	d := json.NewDecoder(bytes.NewReader(record))
	token, err := d.Token()
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if token != json.Delim('{') {
		return errNotObject
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		full := prefix + escapeName(name.(string)) //nolint:forcetypeassert // the name of a member
		if raw[0] == '{' && depth < maxDepth {
			if err := flatten(raw, full+".", depth+1, fields); err != nil {
				return err
			}
			continue
		}
		*fields = append(*fields, Field{full, plain(raw), raw[0] == '-' || raw[0]-'0' <= 9, raw[0] == '"'})
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if d.More() {
		return errors.New("profile: text after the record")
	}
	return nil
}

// escapeName returns a name in which a dot does not separate names.
func escapeName(name string) string {
	if !strings.ContainsAny(name, `.\`) {
		return name
	}
	return strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(name)
}

// plain returns the value as it would be written in CSV. A number with an exponent, such as 1e3, is its value.
func plain(raw []byte) []byte {
	switch {
	case string(raw) == "null":
		return nil
	case len(raw) > 2 && raw[0] != '"' && raw[0] != '[' && bytes.ContainsAny(raw, "eE"):
		if v, ok := parseNumber(raw); ok && v.isExact {
			return []byte(FormatNumber(v.reading(0)))
		}
	case len(raw) > 1 && raw[0] == '"':
		if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
			return inner
		}
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return []byte(s)
		}
	}
	return raw
}

// Records returns the records of a whole JSON file by the rule of objecttools.OpenRows: the items of an array, or of
// the first array of objects in an object, or that object.
func Records(file []byte) (records []json.RawMessage) {
	if !json.Valid(file) {
		return nil
	}
	if json.Unmarshal(file, &records) == nil {
		return records
	}
	d := json.NewDecoder(bytes.NewReader(file))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		var raw json.RawMessage
		if _, err := d.Token(); err != nil || d.Decode(&raw) != nil {
			return nil
		}
		inner := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("[")))
		if raw[0] == '[' && bytes.HasPrefix(inner, []byte("{")) && json.Unmarshal(raw, &records) == nil {
			return records
		}
	}
	return []json.RawMessage{file}
}

// AddRecord adds a record of JSON. A name that other records have and this one does not is a missing value. If a record
// has a name twice, the first value counts. A record that is not valid JSON, or was cut, counts as malformed.
func (p *Profiler) AddRecord(record []byte, isCut bool) {
	fields, err := Flatten(record)
	if err != nil || isCut {
		p.AddMalformed()
		if isCut {
			p.out.Cut++
		}
		return
	}
	p.out.Rows++
	p.seen++
	hasTwice := false
	var label []byte
	labelAt := -1
	for i, f := range fields {
		at := p.columnAt(f.Name, i)
		if i < maxLabeled && label == nil {
			if label = totalLabel(f.Value); label != nil {
				labelAt = at
			}
		}
		switch {
		case at < 0:
		case p.columns[at].row == p.out.Rows:
			hasTwice = true
		default:
			p.columns[at].row = p.out.Rows
			p.columns[at].add(f.Value, p.seed, p.seen, f.jsonType())
		}
	}
	if hasTwice {
		p.out.Twice++
	}
	if labelAt < 0 {
		label = nil
	}
	p.noteTotal(label, labelAt)
	p.rows.add(p.hashFields(fields))
}

func (f *Field) jsonType() jsonType {
	switch {
	case f.IsNumber:
		return jsonNumber
	case f.IsString:
		return jsonString
	}
	return jsonOther
}

// columnAt returns the index of the column with that name, which is often i, or -1 if there are too many.
func (p *Profiler) columnAt(name string, i int) int {
	if i < len(p.columns) && p.columns[i].name == name {
		return i
	}
	at, ok := p.byName[name]
	switch {
	case ok:
		return at
	case len(p.columns) >= MaxColumns:
		p.has = MaxColumns + 1
		return -1
	}
	values := 1024
	if len(p.columns) >= 64 {
		values = 64
	}
	p.columns = append(p.columns, newColumn(name, values))
	p.byName[name] = len(p.columns) - 1
	return len(p.columns) - 1
}

// hashFields returns a hash that does not depend on the order of the fields.
func (p *Profiler) hashFields(fields []Field) uint64 {
	slices.SortFunc(fields, func(a, b Field) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	p.hash.Reset()
	for _, f := range fields {
		_, _ = p.hash.WriteString(strconv.Itoa(len(f.Name)))
		_, _ = p.hash.WriteString(f.Name)
		_, _ = p.hash.Write(f.Value)
		_ = p.hash.WriteByte(0)
	}
	return p.hash.Sum64()
}
