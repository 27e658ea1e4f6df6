package agent

import (
	"context"
	"fmt"
	"strconv"

	"go.opentelemetry.io/otel/trace"
)

// traceParent returns the span of ctx in the form of W3C Trace Context, or "" if ctx does not have a span. A checkpoint
// holds it, so that a resumed run can link to the earlier trace.
func traceParent(ctx context.Context) string {
	c := trace.SpanContextFromContext(ctx)
	if !c.IsValid() {
		return ""
	}
	return fmt.Sprintf("00-%s-%s-%02x", c.TraceID(), c.SpanID(), byte(c.TraceFlags()))
}

// parseTraceParent parses what traceParent returns. The span context of "" is not valid.
func parseTraceParent(s string) (trace.SpanContext, error) {
	if s == "" {
		return trace.SpanContext{}, nil
	}
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return trace.SpanContext{}, fmt.Errorf("invalid trace %.60q: must be 00-<trace id>-<span id>-<flags>", s)
	}
	id, err := trace.TraceIDFromHex(s[3:35])
	if err != nil {
		return trace.SpanContext{}, fmt.Errorf("invalid trace %.60q: %w", s, err)
	}
	span, err := trace.SpanIDFromHex(s[36:52])
	if err != nil {
		return trace.SpanContext{}, fmt.Errorf("invalid trace %.60q: %w", s, err)
	}
	flags, err := strconv.ParseUint(s[53:], 16, 8)
	if err != nil {
		return trace.SpanContext{}, fmt.Errorf("invalid trace %.60q: %w", s, err)
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags), Remote: true}), nil
}
