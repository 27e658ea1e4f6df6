package carrel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/agenttest"
	"github.com/carrel-go/carrel/agent/bedrock"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/agent/history"
	"github.com/carrel-go/carrel/agent/runner"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/sse"
	"github.com/carrel-go/carrel/sse/replay"
	"github.com/carrel-go/carrel/tools"
	"github.com/carrel-go/carrel/tools/approval"
	"github.com/carrel-go/carrel/tools/objecttools"
	"github.com/carrel-go/carrel/tools/trackingtools"
	"github.com/carrel-go/carrel/tracking"
	"github.com/carrel-go/carrel/tracking/sweeper"
)

func TestNilRequiredArgumentIsAnErrorAtConstruction(t *testing.T) {
	t.Parallel()
	for name, construct := range map[string]func() (any, error){
		"agent.New":       func() (any, error) { return agent.New(nil, nil) },
		"agent.Fallback":  func() (any, error) { return agent.New(agent.Fallback(agenttest.NewScript(), nil), nil) },
		"agent.Summarise": func() (any, error) { return agent.Summarise(nil, 1000) },
		"admission.New":   func() (any, error) { return admission.New(nil, nil) },
		"chatlist.New":    func() (any, error) { return chatlist.New(nil) },
		"history.New":     func() (any, error) { return history.New(nil, nil) },
		"replay.New":      func() (any, error) { return replay.New(nil, nil) },
		"runner.New":      func() (any, error) { return runner.New(nil, runner.Host{}, nil) },
		"sse.NewWriter":   func() (any, error) { return sse.NewWriter(nil, nil) },
		"tools.Audit":     func() (any, error) { return tools.Audit(nil, nil) },
		"dynamo.CreateTable": func() (any, error) {
			return nil, dynamo.CreateTable(t.Context(), nil, "carrel", nil)
		},
		"bedrock.New": func() (any, error) { return bedrock.New(nil, "any-model", nil) },
		"presign.New, client": func() (any, error) {
			return presign.New(nil, must.Get(object.New(object.NewMemory(), "carrel-raw", nil)), nil)
		},
		"presign.New, bucket":  func() (any, error) { return presign.New(s3Client(), nil, nil) },
		"arrivals.New":         func() (any, error) { return arrivals.New(nil, nil, nil, nil, nil) },
		"arrivals.NewConsumer": func() (any, error) { return arrivals.NewConsumer(nil, "", nil, nil) },
		"scope.NewLogAuditor":  func() (any, error) { return scope.NewLogAuditor(nil) },
		"credential.New": func() (any, error) {
			return credential.New(nil, "arn:aws:iam::123456789012:role/any", credential.Resources{Raw: "carrel-raw"}, nil)
		},
		"object.New":      func() (any, error) { return object.New(nil, "carrel-raw", nil) },
		"s3object.New":    func() (any, error) { return s3object.New(nil, "carrel-raw", nil) },
		"s3object.Open":   func() (any, error) { return s3object.Open(nil, "carrel-raw", nil) },
		"table.New":       func() (any, error) { return table.New(nil, nil) },
		"dynamo.New":      func() (any, error) { return dynamo.New(nil, "carrel", nil) },
		"approval.New":    func() (any, error) { return approval.New(nil, nil) },
		"tracking.New":    func() (any, error) { return tracking.New(nil, tracking.Uploads(), nil) },
		"sweeper.New":     func() (any, error) { return sweeper.New(nil, nil, nil) },
		"objecttools.Set": func() (any, error) { return objecttools.Set(nil, nil) },
		"tools.New": func() (any, error) {
			return tools.New[struct{}, string]("any", "Any.", nil)
		},
		"trackingtools.Set": func() (any, error) { return trackingtools.Set(nil) },
		// A set reports its errors when an agent is made with it.
		"tools.Of": func() (any, error) { return agent.New(agenttest.NewScript(), &agent.Options{Tools: tools.Of(nil)}) },
		"tools.Dynamic": func() (any, error) {
			return agent.New(agenttest.NewScript(), &agent.Options{Tools: tools.Dynamic(nil)})
		},
	} {
		v, err := construct()
		require.Error(t, err, name)
		require.Empty(t, v, name)
	}
}

// The functions that cannot return an error say so in their documentation.
func TestNilRequiredArgumentIsAPanicWithoutAnError(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "agenttest: Func: the function must not be nil", func() { agenttest.Func(nil) })
	require.PanicsWithValue(t, "bedrocktest: Front: the model must not be nil", func() { bedrocktest.Front(nil) })
}
