package admission

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// MaxLimit is the largest value of each limit in [Options] except Tokens.
const MaxLimit = 10_000

// Options configures the limits of an [Admission]. A nil *Options is valid, and zero fields have their defaults.
type Options struct {
	// UserRuns and TenantRuns are the largest numbers of runs at a time. Defaults: 8 and 32.
	UserRuns, TenantRuns int
	// Queue is the largest number of runs of a tenant that wait. Default: 64.
	Queue int
	// Grants is the largest number of open upload grants of a user. Default: 500.
	Grants int
	// Tokens is the budget of a tenant in each Period. Default: no budget.
	Tokens int64
	// Period is the length of a budget's period. Periods are aligned to the Unix epoch. Default: 24 hours.
	Period time.Duration
	// Lease is the time after which the place of a run is free unless its Ticket was renewed. Default: one minute.
	Lease time.Duration
}

// Admission counts the work of all users and tenants in a table. It is safe for concurrent use.
type Admission struct {
	system *table.System
	o      Options

	mu    sync.Mutex
	freed map[string]chan struct{} // by tenant: closed when a run of this process leaves
}

// New returns an Admission that counts in the table of system. It returns [ErrInvalid] if system is nil or an option is
// out of range.
func New(system *table.System, o *Options) (*Admission, error) {
	if system == nil {
		return nil, fmt.Errorf("%w: the table.System must not be nil", ErrInvalid)
	}
	a := &Admission{system: system, freed: make(map[string]chan struct{})}
	if o != nil {
		a.o = *o
	}
	for _, l := range []struct {
		name      string
		limit     *int
		otherwise int
	}{
		{"UserRuns", &a.o.UserRuns, 8}, {"TenantRuns", &a.o.TenantRuns, 32},
		{"Queue", &a.o.Queue, 64}, {"Grants", &a.o.Grants, 500},
	} {
		if *l.limit = cmp.Or(*l.limit, l.otherwise); *l.limit < 1 || *l.limit > MaxLimit {
			return nil, fmt.Errorf("%w: Options.%s is %d: must be 1 to %d", ErrInvalid, l.name, *l.limit, MaxLimit)
		}
	}
	a.o.Period, a.o.Lease = cmp.Or(a.o.Period, 24*time.Hour), cmp.Or(a.o.Lease, time.Minute)
	if a.o.Tokens < 0 || a.o.Period < time.Second || a.o.Lease < time.Second {
		return nil, fmt.Errorf("%w: Tokens must not be negative, Period and Lease must be at least a second", ErrInvalid)
	}
	return a, nil
}

// openView returns the partition of the session's user or tenant.
func (a *Admission) openView(session scope.Scope, level scope.Level) (*table.View, error) {
	if err := session.Require(scope.SessionLevel); err != nil {
		return nil, err
	}
	if err := session.RequireWrite(); err != nil {
		return nil, err
	}
	return a.system.Above(session, level)
}
