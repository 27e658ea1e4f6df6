package agent

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"
)

type instruments struct {
	chatDuration, firstChunk, runDuration, toolDuration metric.Float64Histogram
	inputTokens, outputTokens                           metric.Int64Histogram // of one answer
	inferenceCalls, toolCalls                           metric.Int64Histogram // of one run
	skipped, omitted                                    metric.Int64Counter
	input, output, cacheRead, cacheWrite                metric.Int64Counter
}

func (n *instruments) createAll(m metric.Meter) error {
	var errs []error
	seconds := func(name, text string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text),
			metric.WithExplicitBucketBoundaries(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48,
				40.96, 81.92))
		errs = append(errs, err)
		return h
	}
	tokens := func(name, text string) metric.Int64Histogram {
		h, err := m.Int64Histogram(name, metric.WithUnit("{token}"), metric.WithDescription(text),
			metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304,
				16777216, 67108864))
		errs = append(errs, err)
		return h
	}
	calls := func(name, text string) metric.Int64Histogram {
		h, err := m.Int64Histogram(name, metric.WithUnit("{call}"), metric.WithDescription(text),
			metric.WithExplicitBucketBoundaries(0, 1, 2, 4, 8, 16, 32, 64, 128))
		errs = append(errs, err)
		return h
	}
	count := func(name, unit, text string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs = append(errs, err)
		return c
	}
	const inference = "gen_ai.client.inference"
	const operation, usage = inference + ".operation", inference + ".usage"
	*n = instruments{
		chatDuration:   seconds(inference+".duration", "Duration of one inference."),
		firstChunk:     seconds(inference+".time_to_first_chunk", "Time to the first chunk of a streamed answer."),
		runDuration:    seconds("gen_ai.invoke_agent.duration", "Duration of one run of an agent."),
		toolDuration:   seconds("gen_ai.execute_tool.duration", "Duration of one tool call."),
		inputTokens:    tokens(operation+".input_tokens", "Input tokens of one inference."),
		outputTokens:   tokens(operation+".output_tokens", "Output tokens of one inference."),
		inferenceCalls: calls("gen_ai.invoke_agent.inference_calls", "Inferences of one run of an agent."),
		toolCalls:      calls("gen_ai.invoke_agent.tool_calls", "Tool calls of one run of an agent."),
		input:          count(usage+".input_tokens", "{token}", "Input tokens used, those of a cache included."),
		output:         count(usage+".output_tokens", "{token}", "Output tokens used."),
		cacheRead:      count(usage+".cache_read.input_tokens", "{token}", "Input tokens read from a cache."),
		cacheWrite:     count(usage+".cache_write.input_tokens", "{token}", "Input tokens written to a cache."),
		skipped:        count(skippedName, "{piece}", "Pieces of answers that the model adapter did not pass on."),
		omitted: count(omittedName, "{medium}",
			"Media of earlier turns that the model did not see in a run, because its service rejected them."),
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

// The names of carrel's own metrics and attributes.
const (
	omittedName = "carrel.agent.media.omitted"
	skippedName = "carrel.agent.skipped"
	skippedKind = "carrel.agent.skipped.kind"
)
