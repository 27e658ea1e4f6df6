package agui

// KeyOf returns the idempotency key of a run of the client.
func KeyOf(run string) string { return (&request{run: run}).idempotencyKey() }
