package presign

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// maxEvent is the longest message in bytes; a queue message can't be longer.
const maxEvent = 1 << 20

// S3Event reports that an object has been created.
type S3Event struct {
	Scope     scope.Scope // owner of the object
	Name      string      // file name: the key's last segment
	Size      int64       // bytes
	ETag      string      // with quotes, as in object.Info; "" if absent
	Version   string      // "" in a bucket without versions
	Sequencer string      // upper-case hexadecimal; of two events of one key, the greater string is the later; "" if absent
	Time      time.Time   // UTC; when S3 created the object, to the millisecond or second
}

// ParseEvent parses a message about objects created in a bucket. It accepts:
//
//   - an S3 event notification, as S3 sends it to SQS or Lambda, or as SNS
//     delivers it with raw message delivery
//     (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html);
//     its keys are decoded once, "+" and %XX;
//   - S3's event from EventBridge
//     (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html),
//     whose keys are not encoded;
//   - one of these in the envelope of an SNS notification, as SNS delivers it
//     without raw message delivery
//     (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html);
//     the envelope's topic and signature are not verified.
//
// A Lambda event wraps messages once more: pass the body of its SQS record, or
// the Message of its SNS record.
//
// ParseEvent returns the events of a message in order, or an error and no events.
// It returns ErrEvent if the JSON is malformed, repeats a member or lacks a
// required one; if the source, bucket or version differs; if a key is not in the
// layout of a scope (and then scope.ErrInvalid as well); if an ObjectCreated is
// of an undocumented kind; or if an SNS message is not a notification or wraps
// another envelope. It ignores unknown members, since S3 adds some within a
// version. Events of other kinds (removed, restored, tagged, and the test event
// that S3 sends when notifications are enabled) are skipped after their source
// and bucket have been checked.
//
// Everyone who can write to the queue or topic can forge an event. Events arrive
// at least once, late, and in any order. Verify the object with [Signer.Arrived],
// let tracking absorb repeats, and check that the caller may act for Scope.
func ParseEvent(raw []byte, bucket string) ([]S3Event, error) {
	events, err := parseEvent(raw, bucket)
	if err != nil {
		return nil, fmt.Errorf("presign: parse event: %w", err)
	}
	return events, nil
}

// Events calls [ParseEvent] for the signer's bucket and reports a rejected
// message to Options.Audit.
func (s *Signer) Events(ctx context.Context, raw []byte) ([]S3Event, error) {
	events, err := ParseEvent(raw, s.bucket.Name())
	if err != nil && s.audit != nil {
		s.audit.Refused(ctx, scope.Refusal{Op: "presign.Events", Err: err})
	}
	return events, err
}

func parseEvent(raw []byte, bucket string) ([]S3Event, error) {
	if len(raw) > maxEvent {
		return nil, eventf("longer than %d bytes", maxEvent)
	}
	m, err := parseJSON(raw)
	if err != nil {
		return nil, eventf("%s", err)
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
			return nil, eventf("member %q is not an array", format)
		}
		return readNotification(records, bucket)
	case format == "detail-type":
		return readBridgeEvent(m, bucket)
	case format == "Event":
		return nil, checkTestEvent(m, bucket)
	}
	return nil, eventf("an SNS notification within an SNS notification")
}

// readNotification reads the records of an S3 event notification.
func readNotification(records []any, bucket string) ([]S3Event, error) {
	if len(records) == 0 {
		return nil, eventf("no records")
	}
	var events []S3Event
	for i, r := range records {
		m, ok := r.(members)
		if !ok {
			return nil, eventf("record %d is not an object", i)
		}
		e, err := readRecord(m, bucket)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		if e != nil {
			events = append(events, *e)
		}
	}
	return events, nil
}

// readRecord reads one record of a notification. It returns nil for an event of
// another kind.
func readRecord(r members, bucket string) (*S3Event, error) {
	var e memberReader
	version, source := e.requireText(r, "eventVersion"), e.requireText(r, "eventSource")
	name, at := e.requireText(r, "eventName"), e.requireText(r, "eventTime")
	s3 := e.requireObject(r, "s3")
	b := e.requireText(e.requireObject(s3, "bucket"), "name")
	switch {
	case e.err != nil:
		return nil, e.err
	case source != "aws:s3":
		return nil, eventf("unexpected source %.80q", source)
	case !strings.HasPrefix(version, "2."):
		return nil, eventf("unexpected version %.80q", version)
	case b != bucket:
		return nil, eventf("unexpected bucket %.80q", b)
	}
	kind, created := strings.CutPrefix(strings.TrimPrefix(name, "s3:"), "ObjectCreated:")
	if !created {
		return nil, nil
	}
	switch kind {
	case "Put", "Post", "Copy", "CompleteMultipartUpload":
	default:
		return nil, eventf("unexpected name %.80q", name)
	}
	o := e.requireObject(s3, "object")
	encoded := e.requireText(o, "key")
	out := S3Event{Size: e.requireSize(o), ETag: e.optionalText(o, "eTag"), Version: e.optionalText(o, "versionId"), Sequencer: e.optionalText(o, "sequencer")}
	if e.err != nil {
		return nil, e.err
	}
	key, err := url.QueryUnescape(encoded)
	if err != nil {
		return nil, eventf("key %.80q is not URL-encoded", encoded)
	}
	return out.finish(key, at)
}

// readBridgeEvent reads an event from EventBridge.
func readBridgeEvent(m members, bucket string) ([]S3Event, error) {
	var e memberReader
	source, kind, at := e.requireText(m, "source"), e.requireText(m, "detail-type"), e.requireText(m, "time")
	detail := e.requireObject(m, "detail")
	version, b := e.requireText(detail, "version"), e.requireText(e.requireObject(detail, "bucket"), "name")
	switch {
	case e.err != nil:
		return nil, e.err
	case source != "aws.s3":
		return nil, eventf("unexpected source %.80q", source)
	case version != "0":
		return nil, eventf("unexpected version %.80q", version)
	case b != bucket:
		return nil, eventf("unexpected bucket %.80q", b)
	case kind != "Object Created":
		return nil, nil
	}
	o := e.requireObject(detail, "object")
	key := e.requireText(o, "key")
	out := S3Event{Size: e.requireSize(o), ETag: e.optionalText(o, "etag"), Version: e.optionalText(o, "version-id"), Sequencer: e.optionalText(o, "sequencer")}
	if e.err != nil {
		return nil, e.err
	}
	done, err := out.finish(key, at)
	if err != nil {
		return nil, err
	}
	return []S3Event{*done}, nil
}

// checkTestEvent checks the event that S3 sends when notifications are enabled.
func checkTestEvent(m members, bucket string) error {
	var e memberReader
	name, b := e.requireText(m, "Event"), e.requireText(m, "Bucket")
	switch {
	case e.err != nil:
		return e.err
	case name != "s3:TestEvent":
		return eventf("unexpected name %.80q", name)
	case b != bucket:
		return eventf("unexpected bucket %.80q", b)
	}
	return nil
}

// finish checks and normalizes the fields of both formats.
func (e S3Event) finish(key, at string) (*S3Event, error) {
	var err error
	if e.Scope, e.Name, err = scope.ParseKey(key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return nil, eventf("invalid time %.80q", at)
	}
	e.Time = e.Time.UTC()
	tag := e.ETag // S3 does not quote it, other servers do
	if len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	if !isVisible(tag) || len(tag) > 1024 || strings.ContainsAny(tag, `"*`) {
		return nil, eventf("invalid ETag %.80q", e.ETag)
	}
	if tag != "" {
		e.ETag = `"` + tag + `"`
	}
	if !isVisible(e.Version) || len(e.Version) > 1024 {
		return nil, eventf("invalid version %.80q", e.Version)
	}
	if e.Version == "null" { // the version of a bucket whose versioning is suspended
		e.Version = ""
	}
	e.Sequencer = strings.ToUpper(e.Sequencer) // the two formats differ
	if strings.Trim(e.Sequencer, "0123456789ABCDEF") != "" || len(e.Sequencer) > 64 {
		return nil, eventf("invalid sequencer %.80q", e.Sequencer)
	}
	return &e, nil
}

func eventf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrEvent, fmt.Sprintf(format, args...))
}
