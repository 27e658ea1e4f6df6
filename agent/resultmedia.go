package agent

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/tools"
)

// acceptResult returns an error if no request can hold the result of a call, alone or beside the results of the earlier
// calls. The model receives the error's message.
func (r *run) acceptResult(e callEnd) error {
	limits := r.agent.requestLimits
	size := int64(0)
	for _, b := range e.result.Blocks {
		size += int64(len(b.Text) + len(b.JSON))
	}
	var own mediaCount
	if hasMedia(e.result) {
		var err error
		if own, err = r.inspectResult(e); err != nil {
			return err
		}
	}
	all := r.media.plusCount(own)
	switch {
	case limits.Bytes > 0 && size+own.bytes > limits.Bytes:
		return refuseResult("it has %d bytes, and may have %d.", size+own.bytes, limits.Bytes)
	case own.isBeyond(limits):
		return refuseResult("it holds %d images, %d documents and %d videos, and a request may hold %s.",
			own.of[anImage], own.of[aDocument], own.of[aVideo], limits.listCounts())
	case all.isBeyond(limits):
		return refuseResult("together with the other calls of the answer it holds more media than a request may hold, "+
			"which is %s. Make fewer calls at once.", limits.listCounts())
	}
	r.media = all
	return nil
}

// inspectResult inspects and counts the media of a result. It returns an error if no request can hold one of them.
func (r *run) inspectResult(e callEnd) (own mediaCount, _ error) {
	ctx, cancel := context.WithTimeout(e.batch, r.agent.limits.ToolTimeout)
	defer cancel()
	for m := range resultMedia(e.result) {
		f, err := r.agent.inspectMedium(ctx, r.in.newReach(), m)
		switch {
		case err != nil && e.batch.Err() == nil:
			return own, fmt.Errorf("agent: look for the object %q: %w", m.Object.Name(), err)
		case f.note != "":
			return own, refuseResult("it holds %s, and %s.", m.displayName(), f.note)
		}
		if err == nil {
			r.findings[m.Media] = f
		}
		own.add(m.kind, f.size, 1)
	}
	return own, nil
}

// refuseResult returns the error of a result that the model cannot receive.
func refuseResult(format string, args ...any) error {
	return tools.Correct(hiddenResult + ": " + fmt.Sprintf(format, args...))
}

// countMedia counts the media of a result that the run accepted before it was resumed. An object that cannot be looked
// up counts 0 bytes.
func (r *run) countMedia(res tools.Result) {
	for m := range resultMedia(res) {
		r.media.add(m.kind, r.inspectOnce(&m).size, 1)
	}
}
