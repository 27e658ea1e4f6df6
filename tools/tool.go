package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"unicode/utf8"
)

// Handler runs one call of a tool.
type Handler func(ctx context.Context, c *Call) (Result, error)

// Middleware wraps a tool's [Handler]. It sees calls whose arguments have been found to fit. One that runs its next
// handler twice with one Call hands the function the same decoded arguments twice; a [NewCall] with the same contents
// is decoded anew. It serves any number of tools and calls at once, and leaves panics to [Tool.Call].
type Middleware func(Handler) Handler

// Spec is what a model is told of a tool.
type Spec struct {
	Name, Description string
	// Schema is a JSON Schema whose root is an object; not to be changed.
	Schema json.RawMessage
	// Strict asks the model's service to hold the model to the schema while it writes the arguments.
	Strict bool
}

// Tool is a typed function that a model may call. It is immutable and, as far as its function is, safe for
// concurrent use.
type Tool struct {
	spec Spec
	made string // the name that New was given
	fn   *function
}

// function is what a tool does, under whatever name it is offered.
type function struct {
	validate func(json.RawMessage) (json.RawMessage, error)
	decode   func(json.RawMessage) (any, json.RawMessage, error) // validates too
	h        Handler
	nils     nilFiller
}

// as is the same tool under another name.
func (t *Tool) as(name string) *Tool {
	c := *t
	c.spec.Name = name
	return &c
}

// source says where the tool comes from, in the words of its author.
func (t *Tool) source() string {
	if t.made != t.spec.Name {
		return fmt.Sprintf("that was made as %q and says %q", t.made, t.spec.Description)
	}
	return fmt.Sprintf("that says %q", t.spec.Description)
}

// Options configure [NewWith]. A nil *Options is valid.
type Options struct {
	// Allow lists property names, whole and as they stand in the schema, that the author wants although they hold a
	// reserved word: "sort_key", say, where the model chooses between columns. Default: none.
	Allow []string
	// Strict asks the model's service to hold the model to the tool's schema, so that its arguments always have the right
	// form: see [Spec]. Not every model supports it, and Bedrock allows 20 strict tools in a request. Default: no; arguments
	// are checked in either case.
	Strict bool
}

// toolName is what Converse takes as the name of a tool.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// New makes a tool of f.
//
// In is a struct; its exported fields, by their json names, are the tool's arguments, each with the text of its
// `jsonschema` tag as description. A field is required unless it is a pointer or marked omitempty or omitzero; an
// optional one may be left out or null, which mean the same. The package's documentation has the tags that constrain
// its values.
//
// Out becomes a text block if it is a string, a JSON block otherwise; a [Block], a list of them, a [Media] or a
// [Result] is passed on as it is. It may implement [Summarizer]. A result that no model could be sent is an error.
//
// The name matches ^[a-zA-Z0-9_-]{1,64}$ and the description is not blank, in UTF-8. Arguments that break the rules of the
// package's documentation give an error that wraps [ErrSchema] and names the field.
//
// The first middleware is the outermost. All schema work happens here; a call only validates.
func New[In, Out any](name, desc string, f func(context.Context, *Call, In) (Out, error), mw ...Middleware) (*Tool, error) {
	return NewWith(name, desc, f, nil, mw...)
}

// NewWith is [New] with options.
func NewWith[In, Out any](name, desc string, f func(context.Context, *Call, In) (Out, error), o *Options, mw ...Middleware) (*Tool, error) {
	if !toolName.MatchString(name) {
		return nil, fmt.Errorf("tools: the name %q does not match %s", name, toolName)
	}
	if strings.TrimSpace(desc) == "" {
		return nil, fmt.Errorf("tools: %s has no description, so no model could know when to call it", name)
	}
	if !utf8.ValidString(desc) {
		return nil, fmt.Errorf("tools: the description of %s is not UTF-8", name)
	}
	if f == nil {
		return nil, fmt.Errorf("tools: %s has no function", name)
	}
	if o == nil {
		o = &Options{}
	}
	sch, err := newSchema(reflect.TypeFor[In](), o.Allow)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSchema, name, err)
	}

	fn := &function{validate: sch.validate}
	fn.decode = func(raw json.RawMessage) (any, json.RawMessage, error) {
		args, err := sch.validate(raw)
		if err != nil {
			return nil, nil, err
		}
		var in In
		if err := json.Unmarshal(args, &in); err != nil {
			return nil, nil, fmt.Errorf("tools: the arguments of %s fit the schema and do not decode: %w", name, err)
		}
		return in, args, nil
	}
	fn.h = func(ctx context.Context, c *Call) (Result, error) {
		if c.by != fn { // middleware made a Call of its own
			in, args, err := fn.decode(c.o.Args)
			if err != nil {
				return Result{}, err
			}
			c = &Call{o: c.o, by: fn, in: in}
			c.o.Args = args
		}
		out, err := f(ctx, c, c.in.(In))
		if err != nil {
			return Result{}, err
		}
		res, err := encode(out, &fn.nils)
		if err != nil {
			return Result{}, fmt.Errorf("tools: the result of %s: %w", name, err)
		}
		return res, nil
	}
	for i := len(mw) - 1; i >= 0; i-- {
		if mw[i] == nil {
			return nil, fmt.Errorf("tools: middleware %d of %s is nil", i, name)
		}
		if fn.h = mw[i](fn.h); fn.h == nil {
			return nil, fmt.Errorf("tools: middleware %d of %s gave no handler", i, name)
		}
	}
	return &Tool{spec: Spec{Name: name, Description: desc, Schema: sch.doc, Strict: o.Strict}, made: name, fn: fn}, nil
}

// Must returns t and panics if err is not nil. It is for tools that are made once, at start-up:
//
//	find := tools.Must(tools.New("find_book", "Finds a book.", findBook))
func Must(t *Tool, err error) *Tool {
	if err != nil {
		panic(err)
	}
	return t
}

// Spec is what a model is told of the tool.
func (t *Tool) Spec() Spec { return t.spec }

// Validate returns args in the form that the tool's function decodes, without running anything: an integer that is
// written as 3.0 or 3e0 reads 3. Arguments that do not fit give a [CorrectionError] that names each misfit by its path.
func (t *Tool) Validate(args json.RawMessage) (json.RawMessage, error) { return t.fn.validate(args) }

// Call checks the arguments of c and, if they fit, runs the middleware and the function with it. It blocks until
// they return; cancelling ctx stops them as far as they heed it.
//
// Arguments that do not fit give a [CorrectionError] that names each misfit by its path, and nothing has run.
// A panic gives a [PanicError]. Any other error is what the function or its middleware returned. A Result that
// comes without an error always has a Summary.
func (t *Tool) Call(ctx context.Context, c *Call) (res Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			res, err = Result{}, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	in, args, err := t.fn.decode(c.o.Args)
	if err != nil {
		return Result{}, err
	}
	c = &Call{o: c.o, by: t.fn, in: in}
	c.o.Args = args
	if c.o.Name == "" {
		c.o.Name = t.spec.Name
	}
	res, err = t.fn.h(ctx, c)
	if err != nil {
		return Result{}, err
	}
	if res, err = res.sendable(); err != nil {
		return Result{}, fmt.Errorf("tools: the result of %s: %w", t.spec.Name, err)
	}
	if res.Summary == "" {
		res.Summary = res.summary()
	}
	return res, nil
}
