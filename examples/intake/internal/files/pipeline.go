package files

import (
	"time"

	"github.com/carrel-go/carrel/tracking"
)

// The stages of a file. The first is [tracking.UserUpload].
const (
	Profiled  tracking.Stage = "profiled"  // an agent has read it
	Confirmed tracking.Stage = "confirmed" // a person has confirmed its report
)

// CodeStopped is the code of the error of a stage whose run a person has stopped.
const CodeStopped = "stopped"

// CodeNotTable is the code of the error of a stage whose file cannot be taken in, whatever is tried.
const CodeNotTable = "not_a_table"

// ReadTime is the longest that the profiling of a file may take.
const ReadTime = 2 * time.Hour

// Pipeline returns the pipeline of a file.
func Pipeline() tracking.Pipeline {
	return tracking.Pipeline{Name: "intake", Stages: []tracking.StageSpec{
		{Stage: tracking.UserUpload, External: true},
		{
			Stage: Profiled, After: []tracking.Stage{tracking.UserUpload},
			Lease: 30 * time.Second, Heartbeat: 10 * time.Second, Due: ReadTime,
		},
		{Stage: Confirmed, After: []tracking.Stage{Profiled}, Lease: 30 * time.Second},
	}}
}
