package table

// The kinds of ErrInvalid, for tests.
var (
	ErrSort    = errSort
	ErrAttr    = errAttr
	ErrExpires = errExpires
	ErrEntry   = errEntry
	ErrCond    = errCond
	ErrQuery   = errQuery
)

const MaxCount = maxCount
