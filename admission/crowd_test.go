package admission_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/scope/table"
)

// distant takes its time for each write.
type distant struct{ table.Driver }

func (d distant) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	time.Sleep(10 * time.Millisecond)
	return d.Driver.Put(ctx, k, r, c)
}

func TestAQueueWithFreePlacesTakesManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, distant{table.NewMemory(nil)}, &admission.Options{UserRuns: 1, TenantRuns: 1, Queue: 1000})
		ann := newUser(t, "acme", "ann")
		var wg sync.WaitGroup
		for i := range 100 {
			session := newSession(t, ann)
			wg.Go(func() {
				_, err := a.Enter(t.Context(), session, strconv.Itoa(i))
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	})
}
