package objecttools

import (
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

const (
	// defaultMaxResult is how many bytes of JSON a result may have.
	defaultMaxResult = 16 << 10
	// defaultMaxScan is how many bytes of a file one call reads.
	defaultMaxScan = 64 << 20
	// defaultMaxFiles is how many files of a conversation may have a handle.
	defaultMaxFiles = 200
)

// Options configure a [Set]. Nil is valid, and so is a zero in each field: it means the default.
type Options struct {
	// MaxResult is how many bytes of JSON a result may have, 4 KiB to 1 MiB; what does not fit is left out, and the
	// result says so. Zero means 16 KiB.
	MaxResult int

	// MaxScan is how many bytes of a file one call reads, at least 1 MiB. The cursor that the result gives is for what
	// lies behind. A search for a regular expression also stops after a second or two of work: the larger the expression
	// and the more it matches, the fewer bytes one call searches. Zero means 64 MiB.
	MaxScan int64

	// MaxFiles is how many files of a conversation may have a handle. Each takes a few hundred bytes in the
	// conversation's State, and so in its checkpoints. Zero means 200.
	MaxFiles int
}

// Set returns the tools list_files, describe_file, read_chunk, search and sample over the objects of b in the scope of
// the call, and in its [tools.Call.Shared]. It returns an error if b is nil or an option is out of its bounds.
func Set(b *object.Bucket, o *Options) (tools.Set, error) {
	d, err := newDesk(b, o)
	if err != nil {
		return tools.Set{}, err
	}
	var all []*tools.Tool
	for _, build := range []func() (*tools.Tool, error){
		func() (*tools.Tool, error) { return tools.New("list_files", listDescription, d.list) },
		func() (*tools.Tool, error) { return tools.New("describe_file", describeDescription, d.describe) },
		func() (*tools.Tool, error) { return tools.New("read_chunk", readDescription, d.read) },
		func() (*tools.Tool, error) { return tools.New("search", searchDescription, d.search) },
		func() (*tools.Tool, error) { return tools.New("sample", sampleDescription, d.sample) },
	} {
		t, err := build()
		if err != nil {
			return tools.Set{}, fmt.Errorf("objecttools: %w", err)
		}
		all = append(all, t)
	}
	return tools.Of(all...), nil
}

// desk is what the tools have in common. It is immutable: what is remembered lies in the State of the call.
type desk struct {
	bucket    *object.Bucket
	maxResult int
	maxScan   int64
	maxFiles  int
}

func newDesk(b *object.Bucket, o *Options) (*desk, error) {
	if b == nil {
		return nil, errors.New("objecttools: no bucket")
	}
	d := &desk{bucket: b, maxResult: defaultMaxResult, maxScan: defaultMaxScan, maxFiles: defaultMaxFiles}
	if o == nil {
		return d, nil
	}
	if o.MaxResult != 0 {
		d.maxResult = o.MaxResult
	}
	if o.MaxScan != 0 {
		d.maxScan = o.MaxScan
	}
	if o.MaxFiles != 0 {
		d.maxFiles = o.MaxFiles
	}
	switch {
	case d.maxResult < 4<<10 || d.maxResult > 1<<20:
		return nil, fmt.Errorf("objecttools: a MaxResult of %d is not between 4 KiB and 1 MiB", d.maxResult)
	case d.maxScan < 1<<20:
		return nil, fmt.Errorf("objecttools: a MaxScan of %d is less than 1 MiB", d.maxScan)
	case d.maxFiles < 1:
		return nil, fmt.Errorf("objecttools: a MaxFiles of %d", d.maxFiles)
	}
	return d, nil
}
