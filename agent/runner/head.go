package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/internal/dueindex"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	headPrefix = "run#"
	headEnd    = "run$" // $ sorts after #
	maxRun     = 99_999_999
)

// openRuns lists the sessions with a run that has not ended by the expiry of its lease.
var openRuns = dueindex.Index{Class: "run", Shards: 8}

// The attributes of HEAD, the item of a run.
const (
	statusAttr    = "status"
	inputAttr     = "input"  // JSON
	objectAttr    = "object" // or the Ref of an object that holds it
	keyAttr       = "key"    // digest
	bodyAttr      = "body"   // digest
	nonceAttr     = "nonce"
	claimAttr     = "claim"
	epochAttr     = "epoch"
	triesAttr     = "tries"
	ownerAttr     = "owner"
	leaseAttr     = "lease" // Unix milliseconds
	stopAttr      = "stop"
	continuesAttr = "continues" // a run's number
	overtakesAttr = "overtakes"
)

// head is the content of HEAD.
type head struct {
	n         int
	version   int64 // of the item
	status    Status
	input     storedJSON
	key, body string
	nonce     string // distinguishes runs that have the same number, one after the other has expired
	claim     string // distinguishes the processes, and the tries of one process, that have begun or taken over the run
	epoch     int64  // increases whenever the run changes hands
	tries     int64  // how many processes have worked on the run; those in which it was queued do not count
	owner     string // the Runner that holds the lease
	lease     time.Time
	stop      bool
	continues int
	overtakes bool // the run before waits for approvals and is not continued
}

func headName(n int) string { return fmt.Sprintf("%s%08d", headPrefix, n) }

// parseHeadName is the inverse of headName.
func parseHeadName(sort string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(sort, headPrefix))
	if err != nil || n < 1 || n > maxRun || headName(n) != sort {
		return 0, errForeign
	}
	return n, nil
}

func (h *head) encodeItem(session scope.Scope, retention time.Duration) table.Item {
	it := table.Item{Sort: headName(h.n), Version: h.version, Expires: time.Now().Add(retention)}
	it.Attr = map[string]table.Value{
		statusAttr: string(h.status), nonceAttr: h.nonce, claimAttr: h.claim, epochAttr: h.epoch, triesAttr: h.tries,
		ownerAttr: h.owner, leaseAttr: h.lease.UnixMilli(),
	}
	h.input.setAttribute(it.Attr, inputAttr)
	for name, v := range map[string]string{keyAttr: h.key, bodyAttr: h.body} {
		if v != "" {
			it.Attr[name] = v
		}
	}
	if h.stop {
		it.Attr[stopAttr] = true
	}
	if h.overtakes {
		it.Attr[overtakesAttr] = true
	}
	if h.continues > 0 {
		it.Attr[continuesAttr] = int64(h.continues)
	}
	if !h.status.HasEnded() {
		it.Index = []table.Entry{openRuns.Entry(session, h.lease)}
	}
	return it
}

func parseHead(it table.Item) (head, error) {
	h := head{version: it.Version, input: findStored(it.Attr, inputAttr)}
	status, _ := it.Attr[statusAttr].(string)
	h.status = Status(status)
	h.key, _ = it.Attr[keyAttr].(string)
	h.body, _ = it.Attr[bodyAttr].(string)
	h.nonce, _ = it.Attr[nonceAttr].(string)
	h.claim, _ = it.Attr[claimAttr].(string)
	h.epoch, _ = it.Attr[epochAttr].(int64)
	h.tries, _ = it.Attr[triesAttr].(int64)
	h.owner, _ = it.Attr[ownerAttr].(string)
	lease, _ := it.Attr[leaseAttr].(int64)
	h.lease = time.UnixMilli(lease)
	h.stop, _ = it.Attr[stopAttr].(bool)
	h.overtakes, _ = it.Attr[overtakesAttr].(bool)
	continues, _ := it.Attr[continuesAttr].(int64)
	h.continues = int(continues)
	var err error
	if h.n, err = parseHeadName(it.Sort); err != nil || h.nonce == "" || status == "" {
		return head{}, fmt.Errorf("%w: %q", errForeign, it.Sort)
	}
	return h, nil
}

func (h *head) describeRun(session scope.Scope, in *input) *Run {
	r := &Run{
		ID: runID(session, h.n), Scope: session, Status: h.status, TakenOver: h.epoch > 1,
		Shared: in.shared, Agent: in.Agent, Prompt: in.Prompt, Media: in.Media,
	}
	if h.continues > 0 {
		r.Continues = runID(session, h.continues)
	}
	return r
}

// readHead reads the head of the n-th run. It returns [ErrNotFound] if it does not exist.
func readHead(ctx context.Context, v *table.View, n int) (head, error) {
	it, err := v.Get(ctx, headName(n))
	if errors.Is(err, table.ErrNotFound) {
		return head{}, ErrNotFound
	}
	if err != nil {
		return head{}, err
	}
	return parseHead(it)
}

// readNewestHead returns the head of the session's newest run, or [ErrNotFound].
func readNewestHead(ctx context.Context, v *table.View) (head, error) {
	heads, err := listHeads(ctx, v, 1)
	if err == nil && len(heads) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return head{}, err
	}
	return heads[0], nil
}

// listHeads returns the newest runs of a session, newest first.
func listHeads(ctx context.Context, v *table.View, limit int) ([]head, error) {
	page, err := v.Query(ctx, table.Query{From: headPrefix, To: headEnd, Desc: true, Consistent: true, Limit: limit})
	if err != nil {
		return nil, err
	}
	heads := make([]head, 0, len(page.Items))
	for _, f := range page.Items {
		h, err := parseHead(f.Item)
		if err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return heads, nil
}

// decodeInput reads the stored request of a run. It is empty once the run has ended, and if it is unreadable.
func (r *Runner) decodeInput(ctx context.Context, session scope.Scope, h *head) (*input, error) {
	raw, err := r.loadJSON(ctx, session, h.input)
	if err != nil || len(raw) == 0 {
		return &input{}, err
	}
	in, err := r.parseInput(session, raw)
	if err != nil {
		return &input{}, fmt.Errorf("%w: %q: %w", errUnreadable, headName(h.n), err)
	}
	return in, nil
}

// parseInput returns the request that raw stores, with its objects.
func (r *Runner) parseInput(session scope.Scope, raw []byte) (*input, error) {
	in := new(input)
	err := json.Unmarshal(raw, in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForeign, err)
	}
	if in.Shared != "" {
		if in.shared, err = parseShared(session, in.Shared); err != nil {
			return nil, err
		}
	}
	for i, m := range in.Media {
		if in.Media[i], err = m.Resolve(r.listRoots(session, in.shared)...); err != nil {
			return nil, err
		}
	}
	return in, nil
}
