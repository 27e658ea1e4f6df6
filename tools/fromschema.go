package tools

import (
	"encoding/json"
)

// FromSchema returns a tool whose arguments are described by a JSON Schema instead of a Go type, such as a tool of
// another server. f receives the arguments in [Call.Args]. The rules of [New] hold for names and middleware.
//
// The schema's root must be an object. Each value must have one type, or one and null; a $ref into $defs or definitions
// is replaced by its target. The error wraps [ErrSchema] for a reserved property name that Options.Allow does not list,
// a schema that accepts any value or any name, a recursive one, and one of more than 64 KiB or 1,000 values.
//
// The model receives, and calls are checked against, a schema with the keywords that New produces. Objects are closed:
// names that are not listed are rejected. Other keywords are left to f: combinations such as oneOf beside a type,
// formats that New does not know, and patterns that Go cannot match.
func FromSchema(name, desc string, schema json.RawMessage, f Handler, o *Options, mw ...Middleware) (*Tool, error) {
	return newTool(name, desc, f == nil, schemaDocument(schema).parse, o, mw, func(fn *function) {
		fn.decode = func(raw json.RawMessage) (any, json.RawMessage, error) {
			args, err := fn.validate(raw)
			return nil, args, err
		}
		fn.handler = f
	})
}
