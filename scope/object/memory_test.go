package object_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
)

func TestMemory(t *testing.T) {
	require.NoError(t, objecttest.Test(t.Context(), object.NewMemory(), "b"))
}
