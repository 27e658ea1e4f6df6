package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carrel-go/carrel/internal/jsonobject"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/table"
)

// Options configures a [Store]. A nil *Options is valid.
type Options struct {
	// Commit is the interval at which a Writer stores its events. Zero means 250 ms. Commit times are rounded to a quarter
	// of Commit, or to a tenth if the Store has many Writers, so that Writers commit together and a table can share a
	// transaction among them.
	Commit time.Duration
	// Poll is the interval at which a reader looks for new events that another process writes. It grows to four times as
	// much in a pause. Zero means Commit.
	Poll time.Duration
	// Retention is the time after which a segment expires. Zero means 7 days.
	Retention time.Duration
	// MaxSegment is the size in bytes of the largest event within a segment. If the pending events reach it, they are
	// stored without waiting for Commit. At most 256 KB; zero means 64 KB.
	MaxSegment int
	// MaxEvent is the size of the largest event in bytes. Zero means 16 MB.
	MaxEvent int
	// Objects stores the events that are larger than MaxSegment, in the scope of their log, as "event-<digest>.json". They
	// do not expire with the log: give the bucket a lifecycle rule. If nil, such events are rejected.
	Objects *object.Bucket
	// Merge joins two events that follow each other in one commit, such as deltas of a text. It returns false if they
	// must stay apart. It may change first, and must not keep second. If nil, no events are joined.
	Merge func(first, second json.RawMessage) (json.RawMessage, bool)
}

// Store holds the logs of a table. It is safe for concurrent use.
type Store struct {
	table   *table.Table
	o       Options
	objects jsonobject.Store
	epoch   time.Time // of the ticks

	mu      sync.Mutex
	local   map[localKey]*recent // the logs that Writers of this Store write
	writers atomic.Int64         // their number
}

type localKey struct{ partition, name string }

// New returns the logs in t. It returns [ErrInvalid] if t is nil or an option is out of range.
func New(t *table.Table, o *Options) (*Store, error) {
	if t == nil {
		return nil, fmt.Errorf("%w: the table must not be nil", ErrInvalid)
	}
	s := &Store{table: t, local: make(map[localKey]*recent), epoch: time.Now()}
	if o != nil {
		s.o = *o
	}
	if err := cmp.Or(
		checkRange("Commit", s.o.Commit, time.Minute), checkRange("Poll", s.o.Poll, time.Minute),
		checkRange("Retention", s.o.Retention, 1<<62), checkRange("MaxSegment", s.o.MaxSegment, 256<<10),
		checkRange("MaxEvent", s.o.MaxEvent, 1<<30),
	); err != nil {
		return nil, err
	}
	s.o.Commit = cmp.Or(s.o.Commit, 250*time.Millisecond)
	s.o.Poll = cmp.Or(s.o.Poll, s.o.Commit)
	s.o.Retention = cmp.Or(s.o.Retention, 7*24*time.Hour)
	s.o.MaxSegment = cmp.Or(s.o.MaxSegment, 64<<10)
	s.o.MaxEvent = max(cmp.Or(s.o.MaxEvent, 16<<20), s.o.MaxSegment)
	s.objects = jsonobject.Store{Bucket: s.o.Objects, Kind: "event", MaxSize: s.o.MaxEvent}
	return s, nil
}

// The number of ticks of a commit interval: one for each ten Writers, within these limits. Few Writers must share a
// tick to share a transaction. The work of many is spread, so that nobody waits long for it.
const (
	minTicks       = 4
	maxTicks       = 10
	writersOfATick = 10
)

// nextTick returns when a Writer commits again whose last commit began at that time.
func (s *Store) nextTick(began time.Time) time.Time {
	ticks := min(max(s.writers.Load()/writersOfATick, minTicks), maxTicks)
	return s.epoch.Add(began.Add(s.o.Commit).Sub(s.epoch).Round(s.o.Commit / time.Duration(ticks)))
}

func checkRange[T int | time.Duration](option string, value, largest T) error {
	if value < 0 || value > largest {
		return fmt.Errorf("%w: Options.%s is %v: must be 0 to %v", ErrInvalid, option, value, largest)
	}
	return nil
}

// log is one log under a scope.
type log struct {
	view  *table.View
	names names
	key   localKey
}

func (s *Store) openLog(sc scope.Scope, name string) (log, error) {
	view, err := s.table.In(sc)
	if err != nil {
		return log{}, err
	}
	n, err := newNames(name)
	return log{view, n, localKey{sc.Partition(), name}}, err
}

// readHead returns the newest segment, or a segment with the number 0.
func (l log) readHead(ctx context.Context) (*segment, error) {
	q := table.Query{From: l.names.prefix(), To: l.names.end(), Desc: true, Consistent: true, Limit: 1}
	page, err := l.view.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(page.Items) == 0 { // none, or all have expired: the newest would be the last to expire
		return &segment{}, nil
	}
	return decodeSegment(l.names, page.Items[0].Item)
}

// registerLocal makes the memory of a Writer that of the log and returns the one that it replaces, or nil. If another
// Writer has opened the log later, it returns the given one.
func (s *Store) registerLocal(l log, r *recent) (replaced *recent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.local[l.key]
	if current != nil && current.opened > r.opened {
		return r
	}
	s.local[l.key] = r
	s.writers.Store(int64(len(s.local)))
	return current
}

// recentOf returns the memory of a log that this Store writes, or nil.
func (s *Store) recentOf(l log) *recent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.local[l.key]
}
