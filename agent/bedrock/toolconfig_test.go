package bedrock

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/tools"
)

// A cached schema does not change if its first caller overwrites the bytes.
func TestSchemasAreRemembered(t *testing.T) {
	t.Parallel()
	const schema = `{"type":"object"}`
	m := must(New(bt.NewClient("http://localhost"), "any-model", nil))
	sent := func(j json.RawMessage) string {
		c, err := m.newToolConfig(&agent.Request{Tools: []tools.Spec{{Name: "x", Schema: j}}})
		require.NoError(t, err)
		doc := c.Tools[0].(*types.ToolMemberToolSpec).Value.InputSchema.(*types.ToolInputSchemaMemberJson).Value
		b, err := doc.MarshalSmithyDocument()
		require.NoError(t, err)
		return string(b)
	}
	first := json.RawMessage(schema)
	require.Equal(t, schema, sent(first))
	copy(first, `{"typo":"object"}`)
	require.Equal(t, schema, sent(json.RawMessage(schema)))
	require.JSONEq(t, `{"typo":"object"}`, sent(first))
}
