package dynamo_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// A driver cannot scan a table or run PartiQL, because the interface of its client lacks these methods.
func TestClientCannotScan(t *testing.T) {
	t.Parallel()
	var methods []string
	for m := range reflect.TypeFor[dynamo.Client]().Methods() {
		methods = append(methods, m.Name)
	}
	require.ElementsMatch(t, []string{"GetItem", "PutItem", "DeleteItem", "Query"}, methods)
}
