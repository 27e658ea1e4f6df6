package agent

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// instruments are the metrics of an agent.
type instruments struct {
	chatDuration, firstChunk, runDuration, toolDuration metric.Float64Histogram
	inputTokens, outputTokens                           metric.Int64Histogram // of one answer
	inferenceCalls, toolCalls                           metric.Int64Histogram // of one run
	input, output, cacheRead, cacheWrite, skipped       metric.Int64Counter
}

// create creates the instruments.
func (n *instruments) create(m metric.Meter) error {
	seconds := metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
		40.96, 81.92)
	tokens := metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304,
		16777216, 67108864)
	few := metric.WithExplicitBucketBoundaries(0, 1, 2, 4, 8, 16, 32, 64, 128)
	var errs []error
	for _, d := range []struct {
		to         *metric.Float64Histogram
		name, text string
	}{
		{&n.chatDuration, "gen_ai.client.inference.duration", "Duration of one inference."},
		{&n.firstChunk, "gen_ai.client.inference.time_to_first_chunk", "Time to the first chunk of a streamed answer."},
		{&n.runDuration, "gen_ai.invoke_agent.duration", "Duration of one run of an agent."},
		{&n.toolDuration, "gen_ai.execute_tool.duration", "Duration of one tool call."},
	} {
		var err error
		*d.to, err = m.Float64Histogram(d.name, metric.WithUnit("s"), metric.WithDescription(d.text), seconds)
		errs = append(errs, err)
	}
	for _, d := range []struct {
		to               *metric.Int64Histogram
		name, unit, text string
		buckets          metric.HistogramOption
	}{
		{&n.inputTokens, "gen_ai.client.inference.operation.input_tokens", "{token}", "Input tokens of one inference.", tokens},
		{&n.outputTokens, "gen_ai.client.inference.operation.output_tokens", "{token}", "Output tokens of one inference.", tokens},
		{&n.inferenceCalls, "gen_ai.invoke_agent.inference_calls", "{call}", "Inferences of one run of an agent.", few},
		{&n.toolCalls, "gen_ai.invoke_agent.tool_calls", "{call}", "Tool calls of one run of an agent.", few},
	} {
		var err error
		*d.to, err = m.Int64Histogram(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.text), d.buckets)
		errs = append(errs, err)
	}
	for _, d := range []struct {
		to               *metric.Int64Counter
		name, unit, text string
	}{
		{&n.input, "gen_ai.client.inference.usage.input_tokens", "{token}", "Input tokens used, those of a cache included."},
		{&n.output, "gen_ai.client.inference.usage.output_tokens", "{token}", "Output tokens used."},
		{&n.cacheRead, "gen_ai.client.inference.usage.cache_read.input_tokens", "{token}", "Input tokens read from a cache."},
		{&n.cacheWrite, "gen_ai.client.inference.usage.cache_write.input_tokens", "{token}", "Input tokens written to a cache."},
		{&n.skipped, skippedName, "{piece}", "Pieces of answers that the model adapter did not pass on."},
	} {
		var err error
		*d.to, err = m.Int64Counter(d.name, metric.WithUnit(d.unit), metric.WithDescription(d.text))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// recordUsage records what one answer cost.
func (n *instruments) recordUsage(ctx context.Context, u Usage, set metric.MeasurementOption) {
	n.inputTokens.Record(ctx, u.inputTotal(), set)
	n.outputTokens.Record(ctx, u.Output, set)
	n.input.Add(ctx, u.inputTotal(), set)
	n.output.Add(ctx, u.Output, set)
	n.cacheRead.Add(ctx, u.CacheRead, set)
	n.cacheWrite.Add(ctx, u.CacheWrite, set)
}

// The names of carrel's own metric and attribute.
const (
	skippedName = "carrel.agent.skipped"
	skippedKind = "carrel.agent.skipped.kind"
)
