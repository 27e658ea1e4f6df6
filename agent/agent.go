package agent

import (
	"context"
	"errors"
	"sync"
	"unicode/utf8"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// Agent is a model with its system prompt, tools and limits. It is immutable and safe for concurrent use. The state of
// a run is in its [Input] and its events.
type Agent struct {
	model          Model
	system         func(context.Context, Input) (string, error)
	tools          tools.Set
	limits         Limits
	requestLimits  RequestLimits  // the model's
	hasToolTimeout bool           // Limits.ToolTimeout is set, so a tool cannot extend its time
	compact        Compactor      // may be nil
	objects        *object.Bucket // may be nil
	cache          bool
	// structured requests typed answers through [Request].Output.
	structured bool
	audit      scope.Auditor // may be nil
	tel        *telemetry    // may be nil

	abandoned abandonedCalls
	outputs   sync.Map // by reflect.Type: *typedOutput, so that a schema is inferred once
}

// New returns an agent. It returns an error if the model, or one of a [Fallback], is nil, a limit is negative, the
// system prompt is not UTF-8, or the set of tools is invalid.
func New(m Model, o *Options) (*Agent, error) {
	if err := checkModel(m); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	if !utf8.ValidString(o.System) {
		return nil, errors.New("agent: the system prompt is not UTF-8")
	}
	if o.System != "" && o.SystemFunc != nil {
		return nil, errors.New("agent: Options has both System and SystemFunc: only one is accepted")
	}
	if err := o.Tools.Err(); err != nil {
		return nil, err
	}
	l, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.StructuredOutput && !describeModel(m).StructuredOutput {
		return nil, errors.New("agent: the model does not support structured output")
	}
	tel, err := newTelemetry(m, o)
	if err != nil {
		return nil, err
	}
	return &Agent{abandoned: abandonedCalls{max: maxAbandoned}, model: m, system: systemFunc(o),
		tools: o.Tools, limits: l, hasToolTimeout: o.Limits.ToolTimeout > 0,
		requestLimits: describeModel(m).Limits, compact: o.Compact, objects: o.Objects, cache: o.Cache,
		structured: o.StructuredOutput, audit: o.Audit, tel: tel}, nil
}
