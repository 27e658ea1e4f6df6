package credential

var (
	ErrAnswer  = errAnswer
	ErrInvalid = errInvalid
	ErrTooLong = errTooLong
)

const (
	DefaultDuration     = defaultDuration
	DefaultRefresh      = defaultRefresh
	DefaultSize         = defaultSize
	DefaultTimeout      = defaultTimeout
	DefaultSignatureAge = defaultSignatureAge
	MaxDuration         = maxDuration
	MaxPolicy           = maxPolicy
	MinDuration         = minDuration
)
