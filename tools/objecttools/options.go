package objecttools

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const (
	defaultMaxResult = 16 << 10
	defaultMaxScan   = 64 << 20
)

// Options configures [Set]. A nil *Options is valid.
type Options struct {
	// MaxResult is the largest result of a call in bytes of JSON, 4 KiB to 1 MiB. A result says what did not fit.
	// Zero means 16 KiB.
	MaxResult int

	// MaxScan is the number of bytes of a file that one call reads at most; it must be at least 1 MiB. The result
	// contains a cursor to continue. A search for a regular expression may stop earlier: the larger the expression and
	// the more it matches, the fewer bytes one call searches. Zero means 64 MiB.
	MaxScan int64
}

// Set returns the tools list_files, describe_file, read_chunk, search and sample. They read the objects of b in the
// scope of each call and in its [tools.Call.Shared]. Set returns an error if b is nil or an option is invalid.
func Set(b *object.Bucket, o *Options) (tools.Set, error) {
	ts, err := newToolset(b, o)
	if err != nil {
		return tools.Set{}, err
	}
	return tools.Of(
		tools.Must(tools.New("list_files", listDescription, ts.listFiles)),
		tools.Must(tools.New("describe_file", describeDescription, ts.describeFile)),
		tools.Must(tools.New("read_chunk", readDescription, ts.readChunk)),
		tools.Must(tools.New("search", searchDescription, ts.searchFile)),
		tools.Must(tools.New("sample", sampleDescription, ts.sampleFile)),
	), nil
}

// toolset holds what the tools share. It is immutable: the state of a conversation is in the State of each call.
type toolset struct {
	bucket    *object.Bucket
	maxResult int
	maxScan   int64
}

func newToolset(b *object.Bucket, o *Options) (*toolset, error) {
	if b == nil {
		return nil, errors.New("objecttools: bucket must not be nil")
	}
	if o == nil {
		o = &Options{}
	}
	ts := &toolset{
		bucket: b, maxResult: cmp.Or(o.MaxResult, defaultMaxResult), maxScan: cmp.Or(o.MaxScan, defaultMaxScan),
	}
	switch {
	case ts.maxResult < 4<<10 || ts.maxResult > 1<<20:
		return nil, fmt.Errorf("objecttools: invalid MaxResult %d: must be between 4 KiB and 1 MiB", ts.maxResult)
	case ts.maxScan < 1<<20:
		return nil, fmt.Errorf("objecttools: invalid MaxScan %d: must be at least 1 MiB", ts.maxScan)
	}
	return ts, nil
}

// resultBudget returns the bytes that the contents of a result may take.
func (ts *toolset) resultBudget() budget { return budget{ts.maxResult - frameCost} }
