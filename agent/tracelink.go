package agent

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceParent returns the span of ctx in the form of W3C Trace Context, or "" if ctx does not have a span. A checkpoint
// holds it, so that a resumed run can link to the earlier trace.
func traceParent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	var carrier propagation.MapCarrier = map[string]string{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// parseTraceParent parses the result of traceParent. The span context of "" is not valid.
func parseTraceParent(s string) (trace.SpanContext, error) {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": s})
	if traceParent(ctx) != s {
		return trace.SpanContext{}, fmt.Errorf("invalid trace %.60q: must be 00-<trace id>-<span id>-<flags>", s)
	}
	return trace.SpanContextFromContext(ctx), nil
}
