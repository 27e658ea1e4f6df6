package tools

import (
	"context"
	"encoding/json"
	"fmt"
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
	if err := checkIdentity(name, desc); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("tools: the function of %s is nil", name)
	}
	if o == nil {
		o = &Options{}
	}
	sch, err := parseSchema(schema, o.Allow)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSchema, name, err)
	}
	fn := &function{validate: sch.validate}
	fn.decode = func(raw json.RawMessage) (any, json.RawMessage, error) {
		args, err := sch.validate(raw)
		return nil, args, err
	}
	fn.handler = func(ctx context.Context, c *Call) (Result, error) {
		if c.decodedFor != fn { // a Call that middleware made
			args, err := sch.validate(c.o.Args)
			if err != nil {
				return Result{}, err
			}
			c = &Call{o: c.o, decodedFor: fn}
			c.o.Args = args
		}
		return f(ctx, c)
	}
	if err := fn.wrap(name, mw); err != nil {
		return nil, err
	}
	return newTool(name, desc, sch, o, fn), nil
}
