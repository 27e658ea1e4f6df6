package credential

var (
	ErrAnswer  = errAnswer
	ErrInvalid = errInvalid
	ErrTooLong = errTooLong
)

const (
	DefaultDuration     = defaultDuration
	DefaultSize         = defaultSize
	CallTimeout         = callTimeout
	DefaultSignatureAge = defaultSignatureAge
	MaxDuration         = maxDuration
	MaxPolicy           = maxPolicy
	MinDuration         = minDuration
)
