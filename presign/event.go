package presign

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// MaxEvent is the longest message that [ParseEvent] reads, in bytes: what a
// queue message can hold.
const MaxEvent = 1 << 20

// S3Event says that an object has come to be.
type S3Event struct {
	Scope     scope.Scope // whose object it is
	Name      string      // its file name: the key's last segment
	Size      int64       // bytes
	ETag      string      // with quotes, as object.Info and Refs have it; "" where the event has none
	Version   string      // "" in a bucket without versions
	Sequencer string      // hexadecimal, upper-case: of two events of one key, the greater string is the later; "" where there is none
	Time      time.Time   // UTC: when S3 took the object, to the millisecond or second
}

// ParseEvent reads a message about objects that have come to be in the bucket
// of that name. It accepts three kinds of messages:
//
//   - an S3 event notification, as S3 sends it to SQS or Lambda, or as SNS
//     delivers it with raw message delivery
//     (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html);
//     its keys are decoded once, "+" and %XX;
//   - S3's event of EventBridge
//     (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html),
//     whose keys are not encoded;
//   - one of these in the envelope of an SNS notification
//     (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html),
//     as SNS delivers it without raw message delivery. The envelope's topic and
//     signature are not verified.
//
// A Lambda event wraps messages once more: pass the body of its SQS record, or
// the Message of its SNS record.
//
// It returns the events of a message in their order, or an error and no events.
// The error is ErrEvent if the JSON is malformed, has a member twice or lacks a
// required member; if the source, bucket or version differs; if a key is not in
// the layout of a scope (and then scope.ErrInvalid as well); if an ObjectCreated
// is of an undocumented kind; if an SNS message is not a notification or wraps
// another envelope. Unknown members are ignored, since S3 adds some within a
// version. Events of other kinds (removed, restored, tagged, …, and the test
// event that S3 sends when notifications are switched on) are skipped after
// their source and bucket have been checked: they yield no S3Event and no error.
//
// An event is a hint, not a proof: everyone who can write to the queue or the
// topic can make one. It arrives at least once, late, and in any order. Ask
// [Signer.Arrived] for the object, and have tracking absorb the repeats. The
// Scope says whose the object is; check that the caller may act for it.
func ParseEvent(raw []byte, bucket string) ([]S3Event, error) {
	events, err := parseEvent(raw, bucket)
	if err != nil {
		return nil, fmt.Errorf("presign: parse event: %w", err)
	}
	return events, nil
}

// Events is [ParseEvent] for the signer's own bucket, and reports what it
// refuses.
func (s *Signer) Events(ctx context.Context, raw []byte) ([]S3Event, error) {
	events, err := ParseEvent(raw, s.bucket.Name())
	if err != nil && s.audit != nil {
		s.audit.Refused(ctx, scope.Refusal{Op: "presign.Events", Err: err})
	}
	return events, err
}

func parseEvent(raw []byte, bucket string) ([]S3Event, error) {
	if len(raw) > MaxEvent {
		return nil, event("longer than %d bytes", MaxEvent)
	}
	m, err := parseJSON(raw)
	if err != nil {
		return nil, event("%s", err)
	}
	if m, err = unwrap(m); err != nil {
		return nil, err
	}
	return readEvent(m, bucket)
}

func readEvent(m members, bucket string) ([]S3Event, error) {
	switch format, err := formatOf(m); {
	case err != nil:
		return nil, err
	case format == "Records":
		records, ok := m[format].([]any)
		if !ok {
			return nil, event("member %q is not an array", format)
		}
		return notification(records, bucket)
	case format == "detail-type":
		return bridged(m, bucket)
	case format == "Event":
		return nil, testEvent(m, bucket)
	}
	return nil, event("an SNS notification within an SNS notification")
}

// notification reads {"Records": […]}.
func notification(records []any, bucket string) ([]S3Event, error) {
	if len(records) == 0 {
		return nil, event("no records")
	}
	var events []S3Event
	for i, r := range records {
		m, ok := r.(members)
		if !ok {
			return nil, event("record %d is no object", i)
		}
		e, err := record(m, bucket)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		if e != nil {
			events = append(events, *e)
		}
	}
	return events, nil
}

// record reads one of a notification's; nil for an event of another kind.
func record(r members, bucket string) (*S3Event, error) {
	var e reading
	version, source := e.text(r, "eventVersion"), e.text(r, "eventSource")
	name, at := e.text(r, "eventName"), e.text(r, "eventTime")
	s3 := e.object(r, "s3")
	b := e.text(e.object(s3, "bucket"), "name")
	switch {
	case e.err != nil:
		return nil, e.err
	case source != "aws:s3":
		return nil, event("source %.80q", source)
	case !strings.HasPrefix(version, "2."):
		return nil, event("version %.80q", version)
	case b != bucket:
		return nil, event("bucket %.80q", b)
	}
	kind, created := strings.CutPrefix(strings.TrimPrefix(name, "s3:"), "ObjectCreated:")
	if !created {
		return nil, nil
	}
	switch kind {
	case "Put", "Post", "Copy", "CompleteMultipartUpload":
	default:
		return nil, event("name %.80q", name)
	}
	o := e.object(s3, "object")
	encoded := e.text(o, "key")
	out := S3Event{Size: e.size(o), ETag: e.maybe(o, "eTag"), Version: e.maybe(o, "versionId"), Sequencer: e.maybe(o, "sequencer")}
	if e.err != nil {
		return nil, e.err
	}
	key, err := url.QueryUnescape(encoded)
	if err != nil {
		return nil, event("key %.80q can't be decoded", encoded)
	}
	return out.finish(key, at)
}

// bridged reads the event of EventBridge.
func bridged(m members, bucket string) ([]S3Event, error) {
	var e reading
	source, kind, at := e.text(m, "source"), e.text(m, "detail-type"), e.text(m, "time")
	detail := e.object(m, "detail")
	version, b := e.text(detail, "version"), e.text(e.object(detail, "bucket"), "name")
	switch {
	case e.err != nil:
		return nil, e.err
	case source != "aws.s3":
		return nil, event("source %.80q", source)
	case version != "0":
		return nil, event("version %.80q", version)
	case b != bucket:
		return nil, event("bucket %.80q", b)
	case kind != "Object Created":
		return nil, nil
	}
	o := e.object(detail, "object")
	key := e.text(o, "key")
	out := S3Event{Size: e.size(o), ETag: e.maybe(o, "etag"), Version: e.maybe(o, "version-id"), Sequencer: e.maybe(o, "sequencer")}
	if e.err != nil {
		return nil, e.err
	}
	done, err := out.finish(key, at)
	if err != nil {
		return nil, err
	}
	return []S3Event{*done}, nil
}

// testEvent is what S3 sends when notifications are switched on.
func testEvent(m members, bucket string) error {
	var e reading
	name, b := e.text(m, "Event"), e.text(m, "Bucket")
	switch {
	case e.err != nil:
		return e.err
	case name != "s3:TestEvent":
		return event("name %.80q", name)
	case b != bucket:
		return event("bucket %.80q", b)
	}
	return nil
}

// finish checks what both shapes have in common.
func (e S3Event) finish(key, at string) (*S3Event, error) {
	var err error
	if e.Scope, e.Name, err = scope.ParseKey(key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return nil, event("time %.80q", at)
	}
	e.Time = e.Time.UTC()
	tag := e.ETag // bare on S3, quoted by others
	if len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	if !visible(tag) || len(tag) > 1024 || strings.ContainsAny(tag, `"*`) {
		return nil, event("ETag %.80q", e.ETag)
	}
	if tag != "" {
		e.ETag = `"` + tag + `"`
	}
	if !visible(e.Version) || len(e.Version) > 1024 {
		return nil, event("version %.80q", e.Version)
	}
	if e.Version == "null" { // what S3 calls the only version where versioning is suspended
		e.Version = ""
	}
	e.Sequencer = strings.ToUpper(e.Sequencer) // the two shapes differ
	if strings.Trim(e.Sequencer, "0123456789ABCDEF") != "" || len(e.Sequencer) > 64 {
		return nil, event("sequencer %.80q", e.Sequencer)
	}
	return &e, nil
}

func event(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrEvent, fmt.Sprintf(format, args...))
}
