package admission_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/admission"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/table"
)

// remote takes a second for each write, and refuses writes in the partition of a user or of a tenant.
type remote struct {
	table.Driver
	refuse atomic.Pointer[string]
}

func (d *remote) wait(k table.Key) error {
	time.Sleep(time.Second)
	if part := d.refuse.Load(); part != nil && strings.HasSuffix(k.Partition(), *part) {
		return errors.New("refused")
	}
	return nil
}

func (d *remote) Put(ctx context.Context, k table.Key, r table.Row, c table.Cond) error {
	if err := d.wait(k); err != nil {
		return err
	}
	return d.Driver.Put(ctx, k, r, c)
}

func (d *remote) Delete(ctx context.Context, k table.Key, c table.Cond) error {
	time.Sleep(time.Second)
	return d.Driver.Delete(ctx, k, c)
}

func TestPlacesAreTakenAndFreedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(t, &remote{Driver: table.NewMemory(nil)}, nil)
		start := time.Now()
		ticket, err := a.Enter(t.Context(), newSession(t, newUser(t, "acme", "ann")), "1")
		require.NoError(t, err)
		require.False(t, ticket.Queued())
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, ticket.Leave(t.Context()))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestAPlaceIsFreedIfTheOtherCannotBeTaken(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"acme", "ann"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &remote{Driver: table.NewMemory(nil)}
				a := newAdmission(t, d, &admission.Options{UserRuns: 1, TenantRuns: 1})
				ann := newUser(t, "acme", "ann")
				d.refuse.Store(&part)
				_, err := a.Enter(t.Context(), newSession(t, ann), "1")
				require.ErrorContains(t, err, "refused")
				d.refuse.Store(nil)
				next := must.Get(a.Enter(t.Context(), newSession(t, ann), "2"))
				require.False(t, next.Queued(), "both places are free")
			})
		})
	}
}
