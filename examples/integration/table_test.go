package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/scope/table/tabletest"
)

// knownFailures maps the checks of the suite that a server does not pass to the reason.
// The test also fails if the server passes one of them, so that the table in
// docs/backends.md stays true.
var knownFailures = map[backend.Kind]map[string]string{
	backend.Moto: {"limits can be reached": "counts more than 400 KB where DynamoDB does not"},
}

func TestTable(t *testing.T) {
	t.Parallel()
	if servers.DynamoDB == nil {
		t.Run("memory", func(t *testing.T) {
			runTableSuite(t, func(*testing.T) table.Driver { return table.NewMemory(nil) }, tabletest.Options{})
		})
		t.Run("delayed", func(t *testing.T) {
			const delay = 50 * time.Millisecond
			runTableSuite(t, func(*testing.T) table.Driver {
				return table.NewMemory(&table.MemoryOptions{IndexDelay: delay})
			}, tabletest.Options{Lag: 20 * delay})
		})
		t.Run("bolt", func(t *testing.T) {
			runTableSuite(t, func(t *testing.T) table.Driver {
				d, err := bolt.Open(t.TempDir())
				require.NoError(t, err)
				return d
			}, tabletest.Options{})
		})
		return
	}
	for name, listed := range map[string][]string{"whole items in indexes": nil, "some attributes in indexes": {"a"}} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, &dynamo.TableOptions{Listed: listed})
			runTableSuite(t, func(*testing.T) table.Driver { return d }, tabletest.Options{Lag: 10 * time.Second, Listed: listed})
		})
	}
}

func newDriver(t *testing.T, o *dynamo.TableOptions) *dynamo.Driver {
	t.Helper()
	name, remove, err := servers.NewTable(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remove(context.WithoutCancel(t.Context()))) })
	d, err := dynamo.New(servers.DynamoDB, name, nil)
	require.NoError(t, err)
	return d
}

func runTableSuite(t *testing.T, open func(*testing.T) table.Driver, o tabletest.Options) {
	t.Helper()
	o.KnownFailures = knownFailures[servers.Kind]
	tabletest.Test(t, open, &o)
}
