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

// Middleware wraps a tool's [Handler]. It sees only calls with valid arguments. If it runs the next handler twice with
// the same Call, the function receives the same decoded value twice; a [NewCall] with the same contents is decoded
// again. Middleware must serve any number of tools and calls at once. [Tool.Call] recovers panics.
type Middleware func(Handler) Handler

// Spec describes a tool to a model.
type Spec struct {
	Name, Description string
	// Schema is a JSON Schema whose root is an object. It must not be changed.
	Schema json.RawMessage
	// Strict asks the model's service to enforce the schema while the model writes the arguments.
	Strict bool
}

// Tool is a typed function that a model may call. It is immutable, and safe for concurrent use if its function is.
type Tool struct {
	spec         Spec
	originalName string
	fn           *function
}

// function is the part of a tool that does not change with its name.
type function struct {
	validate func(json.RawMessage) (json.RawMessage, error)
	decode   func(json.RawMessage) (any, json.RawMessage, error) // validates too
	handler  Handler
	nils     nilFiller
}

// withName returns the same tool under another name.
func (t *Tool) withName(name string) *Tool {
	c := *t
	c.spec.Name = name
	return &c
}

// describeSource returns a phrase that identifies the tool by its original name and description.
func (t *Tool) describeSource() string {
	if t.originalName != t.spec.Name {
		return fmt.Sprintf("made as %q with the description %q", t.originalName, t.spec.Description)
	}
	return fmt.Sprintf("with the description %q", t.spec.Description)
}

// Options configures [NewWith]. A nil *Options is valid.
type Options struct {
	// Allow lists property names that are accepted although they contain a reserved word, such as "sort_key" if the model
	// chooses between columns. Each is the whole name in the schema.
	Allow []string
	// Strict asks the model's service to enforce the schema: see [Spec]. Not every model supports it, and Bedrock accepts
	// 20 strict tools in a request. Arguments are checked in either case.
	Strict bool
}

// toolName is Converse's grammar for the name of a tool.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// New returns a tool that calls f.
//
// In must be a struct. Its exported fields, with their JSON names, are the tool's arguments, and the `jsonschema` tag
// of a field is the description of the argument. A field is required unless it is a pointer or tagged omitempty or
// omitzero. An optional argument may be missing or null, which means the same. The package's documentation lists the
// tags that constrain values.
//
// Out becomes a text block if it is a string, and a JSON block otherwise. A [Block], a [Media], a list of either, a
// [Result], and a pointer to one of these three are used unchanged. Out may implement [Summarizer]. A call whose result
// is not valid returns an error.
//
// The name must match ^[a-zA-Z0-9_-]{1,64}$, and the description must be UTF-8 and not blank. If In breaks the rules of
// the package's documentation, the error wraps [ErrSchema] and names the field.
//
// The first middleware is the outermost. New does all work on the schema, so that a call only validates.
func New[In, Out any](name, desc string, f func(context.Context, *Call, In) (Out, error),
	mw ...Middleware) (*Tool, error) {
	return NewWith(name, desc, f, nil, mw...)
}

// NewWith is [New] with options.
func NewWith[In, Out any](name, desc string, f func(context.Context, *Call, In) (Out, error), o *Options,
	mw ...Middleware) (*Tool, error) {
	inferSchema := func(allow []string) (*schema, error) { return newSchema(reflect.TypeFor[In](), allow) }
	return newTool(name, desc, f == nil, inferSchema, o, mw, func(fn *function) {
		fn.decode = func(raw json.RawMessage) (any, json.RawMessage, error) {
			args, err := fn.validate(raw)
			if err != nil {
				return nil, nil, err
			}
			in := new(In)
			if err := json.Unmarshal(args, in); err != nil {
				return nil, nil, fmt.Errorf("tools: the arguments of %s fit the schema but do not decode: %w", name, err)
			}
			return in, args, nil
		}
		fn.handler = func(ctx context.Context, c *Call) (Result, error) {
			out, err := f(ctx, c, *c.decoded.(*In))
			if err != nil {
				return Result{}, err
			}
			res, err := encodeResult(out, &fn.nils)
			if err != nil {
				return Result{}, fmt.Errorf("tools: the result of %s: %w", name, err)
			}
			return res, nil
		}
	})
}

// newTool returns a tool whose arguments have that schema. setFunction sets the function's decode and handler.
func newTool(name, desc string, isNil bool, makeSchema func(allow []string) (*schema, error), o *Options,
	mw []Middleware, setFunction func(*function)) (*Tool, error) {
	if err := checkIdentity(name, desc); err != nil {
		return nil, err
	}
	if isNil {
		return nil, fmt.Errorf("tools: the function of %s is nil", name)
	}
	if o == nil {
		o = &Options{}
	}
	sch, err := makeSchema(o.Allow)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSchema, name, err)
	}
	fn := &function{validate: sch.validate}
	setFunction(fn)
	run := fn.handler
	fn.handler = func(ctx context.Context, c *Call) (Result, error) {
		if c.decodedFor != fn { // a Call that middleware made
			var err error
			if c, err = fn.decodeCall(c); err != nil {
				return Result{}, err
			}
		}
		return run(ctx, c)
	}
	if err := fn.wrap(name, mw); err != nil {
		return nil, err
	}
	spec := Spec{Name: name, Description: desc, Schema: sch.doc, Strict: o.Strict}
	return &Tool{spec: spec, originalName: name, fn: fn}, nil
}

// decodeCall returns c with its arguments checked and decoded for fn.
func (fn *function) decodeCall(c *Call) (*Call, error) {
	in, args, err := fn.decode(c.o.Args)
	if err != nil {
		return nil, err
	}
	c = &Call{o: c.o, decoded: in, decodedFor: fn}
	c.o.Args = args
	return c, nil
}

func checkIdentity(name, desc string) error {
	switch {
	case !toolName.MatchString(name):
		return fmt.Errorf("tools: invalid name %q: must match %s", name, toolName)
	case strings.TrimSpace(desc) == "":
		return fmt.Errorf("tools: %s needs a description, which tells the model when to call it", name)
	case !utf8.ValidString(desc):
		return fmt.Errorf("tools: the description of %s is not UTF-8", name)
	}
	return nil
}

// wrap puts the middleware around the handler, the first outermost.
func (fn *function) wrap(name string, mw []Middleware) error {
	for i := len(mw) - 1; i >= 0; i-- {
		if mw[i] == nil {
			return fmt.Errorf("tools: middleware %d of %s is nil", i, name)
		}
		if fn.handler = mw[i](fn.handler); fn.handler == nil {
			return fmt.Errorf("tools: middleware %d of %s returned a nil handler", i, name)
		}
	}
	return nil
}

// Must returns t, and panics if err is not nil. Use it for tools that are made once, at start-up:
//
//	find := tools.Must(tools.New("find_book", "Finds a book.", findBook))
func Must(t *Tool, err error) *Tool {
	if err != nil {
		panic(err)
	}
	return t
}

// Spec returns the description of the tool for a model.
func (t *Tool) Spec() Spec { return t.spec }

// Validate checks args without running the tool, and returns them with integers in plain digits: 3.0 and 3e0 become 3.
// If they do not fit, it returns a [CorrectionError] that names each misfit by its path.
func (t *Tool) Validate(args json.RawMessage) (json.RawMessage, error) { return t.fn.validate(args) }

// Call checks the arguments of c and then runs the middleware and the function. It blocks until they return. Cancelling
// ctx stops them only if they observe it.
//
// If the arguments do not fit, nothing runs, and Call returns a [CorrectionError] that names each misfit by its path.
// It returns a [PanicError] for a panic, and otherwise the error of the function or its middleware. A Result without an
// error always has a Summary.
func (t *Tool) Call(ctx context.Context, c *Call) (res Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			res, err = Result{}, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if c, err = t.fn.decodeCall(c); err != nil {
		return Result{}, err
	}
	if c.o.Name == "" {
		c.o.Name = t.spec.Name
	}
	res, err = t.fn.handler(ctx, c)
	if err != nil {
		return Result{}, err
	}
	if res, err = res.repairAndCheck(); err != nil {
		return Result{}, fmt.Errorf("tools: the result of %s: %w", t.spec.Name, err)
	}
	if res.Summary == "" {
		res.Summary = res.makeSummary()
	}
	return res, nil
}
