package dynamo

// The kinds of table.ErrBusy and of invalid requests, for tests.
var (
	ErrThrottled   = errThrottled
	ErrTransaction = errTransaction
	ErrValidation  = errValidation
)
