package photo

import (
	"context"
	"runtime"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope"
)

const (
	memoryBudget = MaxMemory + 2*graySize // bytes that one tenant may hold: those of the largest photo
	reserve      = 64 << 20               // bytes that one tenant leaves to others: an ordinary photo or OCR
	graySize     = MaxSide * MaxSide
	fileBudget   = 2 * MaxBytes // bytes of files that one tenant may hold
)

// turns shares the processors and the memory of the process among tenants. A tenant may use every processor, but there
// is always one more piece of work that can begin for another tenant, and memory for it.
//
// A piece of work takes its file first, then its processor, then its memory, always in this order. Work that waits for
// a processor therefore holds at most its file, and a processor never waits for a store.
type turns struct {
	files  *admission.Fair // bytes of files in memory
	pieces *admission.Fair // pieces of work at a time
	memory *admission.Fair // bytes of decoding
}

func newTurns() turns {
	processors := int64(runtime.GOMAXPROCS(0))
	return turns{
		newFair(fileBudget+MaxBytes, fileBudget), newFair(processors+1, processors),
		newFair(memoryBudget+reserve, memoryBudget),
	}
}

func newFair(capacity, perTenant int64) *admission.Fair {
	f, err := admission.NewFair(capacity, perTenant)
	if err != nil { // the values are above
		panic("photo: share work: " + err.Error())
	}
	return f
}

// holdFile waits until a file of that size may be in memory, and calls f.
func (t turns) holdFile(ctx context.Context, s scope.Scope, size int64, f func() error) error {
	release, err := t.files.Acquire(ctx, s, size)
	if err != nil {
		return err
	}
	defer release()
	return f()
}

// doPiece waits until it is the turn of the tenant of s, and until the memory is free, and calls f.
func (t turns) doPiece(ctx context.Context, s scope.Scope, memory int64, f func() error) error {
	release, err := t.pieces.Acquire(ctx, s, 1)
	if err != nil {
		return err
	}
	defer release()
	return t.holdMemory(ctx, s, memory, f)
}

// holdMemory is like doPiece for work that does not need a processor.
func (t turns) holdMemory(ctx context.Context, s scope.Scope, memory int64, f func() error) error {
	release, err := t.memory.Acquire(ctx, s, memory)
	if err != nil {
		return err
	}
	defer release()
	return f()
}
