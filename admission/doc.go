// Package admission decides whether work may start now: it limits the runs, the open upload grants and the tokens of
// each user and tenant.
//
//	a, err := admission.New(t.System(), nil)
//	ticket, err := a.Enter(ctx, session, run)     // a *FullError if the tenant's queue is full
//	defer ticket.Leave(context.WithoutCancel(ctx))
//	if ticket.Queued() { err = ticket.Wait(ctx) }
//	… call ticket.Renew(ctx) every few seconds while the run works …
//
// A [Ticket] that is not renewed loses its place after [Options].Lease, and the limits are then exceeded.
//
// # Runs
//
// A run takes one place of its user and one of its tenant. If none is free, it takes a place in its tenant's queue,
// from which runs are admitted in order. A run that waits for a place of its user does not hold up runs of other users.
//
// Every place is an item in the table that expires unless its [Ticket] is renewed, so the limits hold for any number of
// processes, and the places of a killed process become free. A process that continues the run enters it again, and owns
// the same places.
//
// # Grants
//
// [Admission.OpenGrant] counts the upload grants of a user until [Admission.CloseGrant] or their expiry.
//
// # Tokens
//
// [Admission.Reserve] takes the estimated tokens of a turn from the budget of its tenant, and [Admission.Settle]
// replaces them with the tokens that were used. A reservation that is never settled expires.
//
// # Work inside a process
//
// A [Fair] limits expensive work of one process, such as decoding images, and serves tenants in turn.
//
// The package owns the sort keys "slot#…" and "grant#…" in the partitions of users, and "slot#…", "wait#…" and
// "budget#…" in those of tenants. It reaches them through a [table.System], since a run knows only its session.
//
// It does not start runs, and does not know what they do: package runner does.
package admission
