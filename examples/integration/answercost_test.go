package integration_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// writeMeter also adds up the consumed capacity of writes, by the first part of the sort key.
type writeMeter struct {
	*meter
	writes map[string]float64
}

func (m *writeMeter) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.meter.PutItem(ctx, in, o...)
	if err != nil || out.ConsumedCapacity == nil {
		return out, err
	}
	kind, _, _ := strings.Cut(in.Item["sk"].(*types.AttributeValueMemberS).Value, "#")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes[kind] += *out.ConsumedCapacity.CapacityUnits
	return out, nil
}

// An answer of 1,000 tokens at 80 a second takes at most 70 write units at the default commit interval, and reading it as
// history at most 5 read units.
func TestAnswerOf1000TokensTakesAtMost70WriteUnits(t *testing.T) {
	t.Parallel()
	needDynamoDB(t)
	if servers.Kind == backend.Moto {
		t.Skip("moto counts one unit for each request")
	}
	name, remove, err := servers.NewTable(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) }()
	m := &writeMeter{&meter{Client: servers.DynamoDB}, map[string]float64{}}
	d, err := dynamo.New(m, name, nil)
	require.NoError(t, err)
	tb := must.Get(table.New(d, nil))

	const tokens = 1000
	words := strings.SplitAfter("The shelf of the oldest library in town holds a copy, worn and annotated, of \"Emma\".", " ")
	var answer []agent.Delta
	for i := range tokens {
		answer = append(answer, agenttest.Say(strings.TrimSpace(words[i%len(words)])+" "))
	}
	model := pacedModel{agenttest.Play(t, agenttest.Answer(answer...)), time.Second / 80}
	turns := must.Get(history.New(tb, nil))
	r, err := runner.New(tb, newHost(t, model), &runner.Options{Turns: turns})
	require.NoError(t, err)
	session, err := userOf(t, "acme", "u1").NewSession()
	require.NoError(t, err)
	run, err := r.Start(t.Context(), runner.Request{Scope: session, Prompt: "Which book is this?"})
	require.NoError(t, err)
	require.NoError(t, r.Wait(t.Context(), session, run.ID))
	m.mu.Lock()
	writes := maps.Clone(m.writes)
	m.mu.Unlock()
	if len(writes) == 0 {
		t.Skip("the server does not report consumed capacity")
	}
	t.Log("write units:", writes)
	for _, kind := range []string{"log", "checkpoint", "turn"} {
		assert.NotZero(t, writes[kind], kind)
	}
	assert.LessOrEqual(t, writes["log"]+writes["checkpoint"]+writes["turn"], 70.0)

	m.takeUnits()
	h, _, err := turns.Load(t.Context(), session)
	require.NoError(t, err)
	require.Len(t, h.Turns, 1)
	assert.Len(t, strings.Fields(h.Turns[0].Messages[1].Parts[0].Text), tokens)
	units := m.takeUnits()
	t.Log("read units:", units)
	assert.LessOrEqual(t, units, 5.0)
}
