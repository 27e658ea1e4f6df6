package presign

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/carrel-go/carrel/internal/strictjson"
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
	Sequencer string      // upper-case hexadecimal; the later of two events of a key has the greater one; "" if absent
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
	if err != nil {
		s.reportRefusal(ctx, "presign.Events", err)
	}
	return events, err
}

func parseEvent(raw []byte, bucket string) ([]S3Event, error) {
	if len(raw) > maxEvent {
		return nil, eventf("longer than %d bytes", maxEvent)
	}
	m, err := strictjson.ParseObject(raw)
	if err != nil {
		return nil, eventf("%s", err)
	}
	format, err := formatOf(m)
	if err == nil && format == "TopicArn" {
		if m, err = openEnvelope(m); err == nil {
			format, err = formatOf(m)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case format == "Records":
		return readNotification(m, bucket)
	case format == "detail-type":
		return readBridgeEvent(m, bucket)
	case format == "Event":
		return nil, checkTestEvent(m, bucket)
	}
	return nil, eventf("an SNS notification within an SNS notification")
}

func readNotification(m strictjson.Value, bucket string) ([]S3Event, error) {
	var r memberReader
	records := r.readMember(m, "Records", strictjson.Array)
	if r.err != nil {
		return nil, r.err
	}
	if records.Len() == 0 {
		return nil, eventf("no records")
	}
	var events []S3Event
	n := 0
	for record := range records.Items() {
		e, created, err := readRecord(record, bucket)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", n, err)
		}
		if created {
			events = append(events, e)
		}
		n++
	}
	return events, nil
}

// readRecord reads one record of a notification, and reports whether it is about a
// created object.
func readRecord(m strictjson.Value, bucket string) (e S3Event, created bool, err error) {
	var r memberReader
	version, source := r.readText(m, "eventVersion"), r.readText(m, "eventSource")
	name, at := r.readText(m, "eventName"), r.readText(m, "eventTime")
	s3 := r.readObject(m, "s3")
	b := r.readText(r.readObject(s3, "bucket"), "name")
	switch {
	case r.err != nil:
		return e, false, r.err
	case source != "aws:s3":
		return e, false, eventf("unexpected source %.80q", source)
	case !strings.HasPrefix(version, "2."):
		return e, false, eventf("unexpected version %.80q", version)
	case b != bucket:
		return e, false, eventf("unexpected bucket %.80q", b)
	}
	kind, created := strings.CutPrefix(strings.TrimPrefix(name, "s3:"), "ObjectCreated:")
	if !created {
		return e, false, nil
	}
	switch kind {
	case "Put", "Post", "Copy", "CompleteMultipartUpload":
	default:
		return e, false, eventf("unexpected name %.80q", name)
	}
	o := r.readObject(s3, "object")
	encoded := r.readText(o, "key")
	e = S3Event{
		Size: r.readSize(o), ETag: r.readOptionalText(o, "eTag"),
		Version: r.readOptionalText(o, "versionId"), Sequencer: r.readOptionalText(o, "sequencer"),
	}
	if r.err != nil {
		return e, false, r.err
	}
	key, err := url.QueryUnescape(encoded)
	if err != nil {
		return e, false, eventf("key %.80q is not URL-encoded", encoded)
	}
	e, err = e.normalize(key, at)
	return e, true, err
}

func readBridgeEvent(m strictjson.Value, bucket string) ([]S3Event, error) {
	var r memberReader
	source, kind, at := r.readText(m, "source"), r.readText(m, "detail-type"), r.readText(m, "time")
	detail := r.readObject(m, "detail")
	version, b := r.readText(detail, "version"), r.readText(r.readObject(detail, "bucket"), "name")
	switch {
	case r.err != nil:
		return nil, r.err
	case source != "aws.s3":
		return nil, eventf("unexpected source %.80q", source)
	case version != "0":
		return nil, eventf("unexpected version %.80q", version)
	case b != bucket:
		return nil, eventf("unexpected bucket %.80q", b)
	case kind != "Object Created":
		return nil, nil
	}
	o := r.readObject(detail, "object")
	key := r.readText(o, "key")
	e := S3Event{
		Size: r.readSize(o), ETag: r.readOptionalText(o, "etag"),
		Version: r.readOptionalText(o, "version-id"), Sequencer: r.readOptionalText(o, "sequencer"),
	}
	if r.err != nil {
		return nil, r.err
	}
	e, err := e.normalize(key, at)
	if err != nil {
		return nil, err
	}
	return []S3Event{e}, nil
}

// checkTestEvent checks the event that S3 sends when notifications are enabled.
func checkTestEvent(m strictjson.Value, bucket string) error {
	var r memberReader
	name, b := r.readText(m, "Event"), r.readText(m, "Bucket")
	switch {
	case r.err != nil:
		return r.err
	case name != "s3:TestEvent":
		return eventf("unexpected name %.80q", name)
	case b != bucket:
		return eventf("unexpected bucket %.80q", b)
	}
	return nil
}

// normalize checks the fields of both formats and gives them one form.
func (e S3Event) normalize(key, at string) (S3Event, error) {
	var err error
	if e.Scope, e.Name, err = scope.ParseKey(key); err != nil {
		return S3Event{}, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return S3Event{}, eventf("invalid time %.80q", at)
	}
	e.Time = e.Time.UTC()
	tag := e.ETag // S3 does not quote it, other servers do
	if len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	if !isVisible(tag) || len(tag) > 1024 || strings.ContainsAny(tag, `"*`) {
		return S3Event{}, eventf("invalid ETag %.80q", e.ETag)
	}
	if tag != "" {
		e.ETag = `"` + tag + `"`
	}
	if !isVisible(e.Version) || len(e.Version) > 1024 {
		return S3Event{}, eventf("invalid version %.80q", e.Version)
	}
	if e.Version == "null" { // the version of a bucket whose versioning is suspended
		e.Version = ""
	}
	e.Sequencer = strings.ToUpper(e.Sequencer) // the two formats differ
	if strings.Trim(e.Sequencer, "0123456789ABCDEF") != "" || len(e.Sequencer) > 64 {
		return S3Event{}, eventf("invalid sequencer %.80q", e.Sequencer)
	}
	return e, nil
}

func eventf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrEvent, fmt.Sprintf(format, args...))
}
