package agent

// Usage counts tokens. Input does not include CacheRead and CacheWrite.
type Usage struct {
	Input      int64 `json:"input_tokens"`
	Output     int64 `json:"output_tokens"`
	CacheRead  int64 `json:"cache_read_tokens"`
	CacheWrite int64 `json:"cache_write_tokens"`
}

func (u Usage) total() int64 { return u.Input + u.Output + u.CacheRead + u.CacheWrite }

// inputTotal returns all input tokens, including cache reads and writes.
func (u Usage) inputTotal() int64 { return u.Input + u.CacheRead + u.CacheWrite }

// largestOf returns the larger of each count.
func (u Usage) largestOf(o Usage) Usage {
	return Usage{max(u.Input, o.Input), max(u.Output, o.Output),
		max(u.CacheRead, o.CacheRead), max(u.CacheWrite, o.CacheWrite)}
}

// minusUsage returns the difference of each count.
func (u Usage) minusUsage(o Usage) Usage {
	return Usage{u.Input - o.Input, u.Output - o.Output, u.CacheRead - o.CacheRead, u.CacheWrite - o.CacheWrite}
}

func (u *Usage) add(o Usage) {
	u.Input += o.Input
	u.Output += o.Output
	u.CacheRead += o.CacheRead
	u.CacheWrite += o.CacheWrite
}
