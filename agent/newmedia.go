package agent

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

// accept returns an error if no request can hold the result of a call, or not beside the results of the calls before
// it. The model is told the error's words.
func (r *run) accept(l landed) error {
	limits := r.agent.request
	refuse := func(format string, args ...any) error {
		return tools.Correct("The tool ran, but its result cannot be shown: " + fmt.Sprintf(format, args...))
	}
	size := int64(0)
	for _, b := range l.result.Blocks {
		size += int64(len(b.Text) + len(b.JSON))
	}
	var own mediaCount
	ctx, cancel := context.WithTimeout(l.run, r.agent.limits.ToolTimeout)
	defer cancel()
	for m, image := range resultMedia(l.result) {
		f, err := r.agent.inspect(ctx, r.in.reach(), m, image)
		switch {
		case err != nil && l.run.Err() == nil:
			return fmt.Errorf("agent: look for the object %q: %w", m.Object.Name(), err)
		case f.note != "":
			return refuse("it holds %s, and %s.", mediaName(m, image), f.note)
		}
		if err == nil {
			r.findings[m] = f
		}
		own.add(image, f.size, 1)
	}
	all := r.media
	all.images, all.documents, all.bytes = all.images+own.images, all.documents+own.documents, all.bytes+own.bytes
	switch {
	case limits.Bytes > 0 && size+own.bytes > limits.Bytes:
		return refuse("it has %d bytes, and may have %d.", size+own.bytes, limits.Bytes)
	case own.isBeyond(limits):
		return refuse("it holds %d images and %d documents, and a request may hold %s.", own.images, own.documents, limits.counts())
	case all.isBeyond(limits):
		return refuse("together with the other calls of the answer it holds more media than a request may hold, which is %s. "+
			"Make fewer calls at once.", limits.counts())
	}
	r.media = all
	return nil
}

// countMedia counts the media of a result that an earlier life of the run has accepted.
func (r *run) countMedia(res tools.Result) {
	for m, image := range resultMedia(res) {
		r.media.add(image, int64(len(m.Bytes)), 1)
	}
}

// resultMedia yields the images and documents of a result, and whether each is an image.
func resultMedia(res tools.Result) func(func(*tools.Media, bool) bool) {
	return func(yield func(*tools.Media, bool) bool) {
		for _, b := range res.Blocks {
			switch {
			case b.Image != nil:
				if !yield(b.Image, true) {
					return
				}
			case b.Document != nil:
				if !yield(b.Document, false) {
					return
				}
			}
		}
	}
}
