// Package strictjson reads JSON at trust boundaries. It accepts one interoperable JSON value (RFC 7493, I-JSON) and
// rejects the input that encoding/json repairs or resolves by itself: invalid UTF-8, half surrogate pairs, duplicate
// names, and names that differ from a field's in case alone. Numbers of any size and precision are accepted: the
// reader decides how much of a number it keeps.
//
// [Check] and [CheckObject] validate. [Parse] also returns the value for reading. [Decode] fills a Go value.
// [Canonical] writes equal values as equal bytes. [Repair] replaces the text defects of a document that is shown rather
// than trusted.
//
// The package imports the standard library alone.
package strictjson
