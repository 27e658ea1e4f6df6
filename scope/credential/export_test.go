package credential

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
