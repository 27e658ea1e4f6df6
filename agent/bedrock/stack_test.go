package bedrock

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPanicOnAnotherStackIsAPanicOfTheCaller(t *testing.T) {
	t.Parallel()
	defer func() { require.ErrorContains(t, recover().(error), "no transport") }()
	onOwnStack(func() { panic("no transport") })
	t.Error("the caller continued")
}

func TestTheEndOfTheGoroutineOfAnotherStackEndsTheCaller(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	hasContinued := false
	wg.Go(func() {
		onOwnStack(runtime.Goexit)
		hasContinued = true
	})
	wg.Wait()
	require.False(t, hasContinued)
}
