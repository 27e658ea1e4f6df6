package ownstack_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/ownstack"
)

func TestAPanicIsAPanicOfTheCaller(t *testing.T) {
	t.Parallel()
	defer func() { require.ErrorContains(t, recover().(error), "no transport") }()
	ownstack.Call(ownstack.KB8, func() { panic("no transport") })
	t.Error("the caller continued")
}

func TestTheEndOfTheGoroutineEndsTheCaller(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	hasContinued := false
	wg.Go(func() {
		ownstack.Call(ownstack.KB8, runtime.Goexit)
		hasContinued = true
	})
	wg.Wait()
	require.False(t, hasContinued)
}
