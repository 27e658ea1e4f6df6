package presign_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
)

// Messages as S3 writes them, from the pages in ParseEvent's documentation.
const (
	notification = `{"Records":[{"eventVersion":"2.3","eventSource":"aws:s3","awsRegion":"eu-central-1","eventTime":"2026-01-02T03:04:05.678Z",` +
		`"eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:AROA:carrel"},"requestParameters":{"sourceIPAddress":"203.0.113.9"},` +
		`"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"FMyUVURIY8"},"s3":{"s3SchemaVersion":"1.0","configurationId":"uploads",` +
		`"bucket":{"name":"carrel-landing","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::carrel-landing"},` +
		`"object":{"key":"tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/front+cover%2B1%C3%BC.jpg","size":1024,` +
		`"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"}}}]}`
	bridge = `{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"111122223333",` +
		`"time":"2026-01-02T03:04:05Z","region":"eu-central-1","resources":["arn:aws:s3:::carrel-landing"],"detail":{"version":"0",` +
		`"bucket":{"name":"carrel-landing"},"object":{"key":"tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/front cover+1ü.jpg",` +
		`"size":1024,"etag":"d41d8cd98f00b204e9800998ecf8427e","version-id":"v1","sequencer":"0055aed6dcd90281e5"},"request-id":"N4N7GDK58NMKJ12R",` +
		`"requester":"123456789012","source-ip-address":"203.0.113.9","reason":"PutObject"}}`
	testEvent = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-02T03:04:05.678Z","Bucket":"carrel-landing","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE"}`
)

func TestParseEventReadsBothFormats(t *testing.T) {
	t.Parallel()
	want := presign.S3Event{
		Scope: session(t), Name: "front cover+1ü.jpg", Size: 1024, ETag: `"d41d8cd98f00b204e9800998ecf8427e"`, Version: "v1",
		Sequencer: "0055AED6DCD90281E5", Time: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
	}
	got, err := presign.ParseEvent([]byte(notification), "carrel-landing")
	require.NoError(t, err)
	require.Equal(t, []presign.S3Event{want}, got)

	want.Time = want.Time.Truncate(time.Second)
	got, err = presign.ParseEvent([]byte(bridge), "carrel-landing")
	require.NoError(t, err)
	require.Equal(t, []presign.S3Event{want}, got, "the two shapes say the same")

	for what, edit := range map[string][2]string{
		"the prefix of other servers": {`"ObjectCreated:Put"`, `"s3:ObjectCreated:Put"`},
		"a form":                      {`:Put"`, `:Post"`},
		"a copy":                      {`:Put"`, `:Copy"`},
		"parts":                       {`:Put"`, `:CompleteMultipartUpload"`},
		"a member that is new":        {`"size":1024`, `"size":1024,"storageClass":["x",{"y":null}]`},
		"another order":               {`{"Records":[{`, `{"Records":[{"extra":true,`},
	} {
		require.Contains(t, notification, edit[0], what)
		got, err := presign.ParseEvent([]byte(strings.Replace(notification, edit[0], edit[1], 1)), "carrel-landing")
		require.NoError(t, err, what)
		require.Len(t, got, 1, what)
	}
	record := notification[len(`{"Records":[`) : len(notification)-len(`]}`)]
	several := `{"Records":[` + record + `,` + strings.Replace(record, "Created:Put", "Removed:Delete", 1) + `,` + record + `]}`
	got, err = presign.ParseEvent([]byte(several), "carrel-landing")
	require.NoError(t, err)
	require.Len(t, got, 2, "repeats are the tracker's to absorb")
}

// wrap puts a message into the envelope that SNS makes without raw message
// delivery, by https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
func wrap(t testing.TB, message string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
		"TopicArn": "arn:aws:sns:eu-central-1:123456789012:uploads", "Subject": "Amazon S3 Notification", "Message": message,
		"Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "1", "Signature": "EXAMPLEw6JRN",
		"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
		"UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:123456789012:uploads:c9135db0",
	})
	require.NoError(t, err)
	return string(b)
}

func TestParseEventThroughSNS(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{"notification": notification, "EventBridge": bridge, "test event": testEvent} {
		want, err := presign.ParseEvent([]byte(raw), "carrel-landing")
		require.NoError(t, err, name)
		got, err := presign.ParseEvent([]byte(wrap(t, raw)), "carrel-landing")
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
		_, err = presign.ParseEvent([]byte(wrap(t, raw)), "carrel-raw")
		require.ErrorIs(t, err, presign.ErrEvent, "%s: of another bucket", name)
	}
	edit := func(old, new string) string {
		raw := wrap(t, notification)
		require.Contains(t, raw, old)
		return strings.Replace(raw, old, new, 1)
	}
	inner, err := json.Marshal(notification)
	require.NoError(t, err)
	for name, raw := range map[string]string{
		"attributes": edit(`"Subject"`, `"MessageAttributes":{"a":{"Type":"String","Value":"b"}},"Subject"`),
		"no subject": edit(`"Subject":"Amazon S3 Notification",`, ``),
		"GovCloud":   edit("arn:aws:sns:eu-central-1", "arn:aws-us-gov:sns:us-gov-west-1"),
	} {
		got, err := presign.ParseEvent([]byte(raw), "carrel-landing")
		require.NoError(t, err, name)
		require.Len(t, got, 1, name)
	}
	for name, raw := range map[string]string{
		"wrapped twice":                 wrap(t, wrap(t, notification)),
		"wrapped as an object":          edit(string(inner), notification),
		"wrapped as a string of JSON":   wrap(t, string(inner)),
		"wrapped in a list":             wrap(t, "["+notification+"]"),
		"nothing within":                wrap(t, ""),
		"something else within":         wrap(t, "hello"),
		"cut short within":              wrap(t, notification[:len(notification)-1]),
		"a member twice within":         wrap(t, strings.Replace(notification, `"size":1024`, `"size":1024,"size":1025`, 1)),
		"half a surrogate within":       wrap(t, strings.Replace(bridge, "front cover", `front\ud800cover`, 1)),
		"a foreign key within":          wrap(t, strings.Replace(notification, "tenant%3Dacme", "somebody", 1)),
		"nested for ever within":        wrap(t, strings.Repeat(`{"a":`, 1000)+"1"+strings.Repeat("}", 1000)),
		"a confirmation":                edit(`"Type":"Notification"`, `"Type":"SubscriptionConfirmation","Token":"2336412f37","SubscribeURL":"https://sns.eu-central-1.amazonaws.com/"`),
		"a type that is new":            edit(`"Type":"Notification"`, `"Type":"notification"`),
		"no type":                       edit(`"Type":"Notification",`, ``),
		"no id":                         edit(`"MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",`, ``),
		"a topic that is a queue":       edit("arn:aws:sns:", "arn:aws:sqs:"),
		"a subscription":                edit(":uploads\"", ":uploads:c9135db0\""),
		"no topic":                      edit(`"TopicArn":"arn:aws:sns:eu-central-1:123456789012:uploads",`, ``),
		"a topic that is a number":      edit(`"arn:aws:sns:eu-central-1:123456789012:uploads"`, "7"),
		"a message twice":               edit(`"Subject"`, `"Message":"{}","Subject"`),
		"two formats":                   edit(`"Subject"`, `"Records":[],"Subject"`),
		"two formats, not wrapped":      strings.Replace(notification, `{"Records"`, `{"Event":"s3:TestEvent","Bucket":"carrel-landing","Records"`, 1),
		"two formats of one, by bridge": strings.Replace(bridge, `{"version"`, `{"Records":null,"version"`, 1),
		"Lambda's SNS record":           `{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","Sns":` + wrap(t, notification) + `}]}`,
	} {
		got, err := presign.ParseEvent([]byte(raw), "carrel-landing")
		require.ErrorIs(t, err, presign.ErrEvent, name)
		require.Nil(t, got, name)
		require.Less(t, len(err.Error()), 400, name)
	}
}

func TestParseEventOptional(t *testing.T) {
	t.Parallel()
	for what, edit := range map[string][2]string{
		"missing": {`"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"`, `"x":1`},
		"null":    {`"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"`, `"eTag":null,"versionId":null,"sequencer":null`},
		"empty":   {`"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"v1","sequencer":"0055AED6DCD90281E5"`, `"eTag":"","versionId":"null","sequencer":""`},
	} {
		require.Contains(t, notification, edit[0])
		got, err := presign.ParseEvent([]byte(strings.Replace(notification, edit[0], edit[1], 1)), "carrel-landing")
		require.NoError(t, err, what)
		require.Empty(t, got[0].ETag+got[0].Version+got[0].Sequencer, what)
	}
	quoted := strings.Replace(notification, `"d41d8cd98f00b204e9800998ecf8427e"`, `"\"d41d8cd98f00b204e9800998ecf8427e\""`, 1)
	got, err := presign.ParseEvent([]byte(quoted), "carrel-landing")
	require.NoError(t, err)
	require.Equal(t, `"d41d8cd98f00b204e9800998ecf8427e"`, got[0].ETag)
}

func TestParseEventSkips(t *testing.T) {
	t.Parallel()
	for what, raw := range map[string]string{
		"removed":           strings.Replace(notification, "ObjectCreated:Put", "ObjectRemoved:Delete", 1),
		"restored":          strings.Replace(notification, "ObjectCreated:Put", "ObjectRestore:Completed", 1),
		"of a kind to come": strings.Replace(notification, "ObjectCreated:Put", "ObjectSomething:New", 1),
		"deleted, bridge":   strings.Replace(bridge, "Object Created", "Object Deleted", 1),
		"test event":        testEvent,
	} {
		got, err := presign.ParseEvent([]byte(raw), "carrel-landing")
		require.NoError(t, err, what)
		require.Empty(t, got, what)
	}
}

func TestParseEventRejectsMalformedEvents(t *testing.T) {
	t.Parallel()
	replace := func(raw, old, new string) string {
		require.Contains(t, raw, old)
		return strings.Replace(raw, old, new, 1)
	}
	const file = `tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/front+cover%2B1%C3%BC.jpg`
	key := func(k string) string { return replace(notification, file, k) }
	for what, raw := range map[string]string{
		"nothing":                      "",
		"null":                         "null",
		"a list":                       "[]",
		"an empty object":              "{}",
		"no records":                   `{"Records":[]}`,
		"records that are none":        `{"Records":{}}`,
		"a record that is none":        `{"Records":[null]}`,
		"cut short":                    notification[:len(notification)-1],
		"two values":                   notification + notification,
		"something behind it":          notification + "x",
		"not UTF-8":                    replace(notification, "carrel-landing", "carrel\xff"),
		"half a surrogate":             replace(bridge, "front cover", `front\ud800cover`),
		"nested for ever":              strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		"too long":                     `{"a":"` + strings.Repeat("x", 1<<20) + `"}`,
		"the bucket twice":             replace(notification, `"name":"carrel-landing"`, `"name":"carrel-landing","name":"carrel-landing"`),
		"the key twice":                replace(notification, `"size":1024`, `"size":1024,"key":"tenant%3Dglobex/shared/x"`),
		"the key in other letters":     replace(notification, `"key"`, `"Key"`),
		"another bucket":               replace(notification, `"name":"carrel-landing"`, `"name":"carrel-raw"`),
		"another bucket, bridge":       replace(bridge, `"name":"carrel-landing"`, `"name":"carrel-raw"`),
		"another bucket, test event":   replace(testEvent, "carrel-landing", "carrel-raw"),
		"another bucket, removed":      replace(replace(notification, `"name":"carrel-landing"`, `"name":"carrel-raw"`), "ObjectCreated:Put", "ObjectRemoved:Delete"),
		"another source":               replace(notification, "aws:s3", "aws:sns"),
		"another source, bridge":       replace(bridge, "aws.s3", "evil.s3"),
		"another version":              replace(notification, `"2.3"`, `"3.0"`),
		"another version, bridge":      replace(bridge, `"detail":{"version":"0"`, `"detail":{"version":"1"`),
		"a kind that nobody documents": replace(notification, "Created:Put", "Created:Smuggled"),
		"any kind":                     replace(notification, "Created:Put", "Created:*"),
		"an event that is none":        replace(testEvent, "s3:TestEvent", "ObjectCreated:Put"),
		"no time":                      replace(notification, `"eventTime":"2026-01-02T03:04:05.678Z",`, ""),
		"a time that is none":          replace(notification, "2026-01-02T03:04:05.678Z", "yesterday"),
		"no size":                      replace(notification, `"size":1024,`, ""),
		"a negative size":              replace(notification, `"size":1024`, `"size":-1`),
		"a broken size":                replace(notification, `"size":1024`, `"size":1.5`),
		"a size in letters":            replace(notification, `"size":1024`, `"size":"1024"`),
		"an ETag that is a list":       replace(notification, `"d41d8cd98f00b204e9800998ecf8427e"`, `[]`),
		"an ETag for anything":         replace(notification, "d41d8cd98f00b204e9800998ecf8427e", "*"),
		"an ETag with a line":          replace(notification, "d41d8cd98f00b204e9800998ecf8427e", `a\r\nb`),
		"a version with a space":       replace(notification, `"v1"`, `"v 1"`),
		"a sequencer that is none":     replace(notification, "0055AED6DCD90281E5", "0055XYZ"),

		"no key":                          key(""),
		"a foreign key":                   key("somebody/else.jpg"),
		"a key beside the layout":         key("tenant%3Dacme/user%3Du1/uploads/x.jpg"),
		"a key of a directory":            key("tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/"),
		"dots":                            key("tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/../x"),
		"a slash in disguise":             key("tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/a%2Fb"),
		"decoded twice it would be fine":  key("tenant%253Dacme/user%253Du1/x.jpg"),
		"decoded twice it would leave":    key("tenant%3Dacme/user%3Du1/%252e%252e%252fx"),
		"not decodable":                   key("tenant%3Dacme/user%3Du1/%zz"),
		"a plus for a space in an id":     key("tenant%3Dac+me/user%3Du1/x.jpg"),
		"a NUL":                           key("tenant%3Dacme/user%3Du1/x%00.jpg"),
		"not UTF-8 once decoded":          key("tenant%3Dacme/user%3Du1/%ff.jpg"),
		"encoded in the bridge's own way": replace(bridge, "tenant=acme", "tenant%3Dacme"),
	} {
		got, err := presign.ParseEvent([]byte(raw), "carrel-landing")
		require.ErrorIs(t, err, presign.ErrEvent, what)
		require.Nil(t, got, what)
		require.Less(t, len(err.Error()), 400, what)
	}
	_, err := presign.ParseEvent([]byte(key("somebody/else.jpg")), "carrel-landing")
	require.ErrorIs(t, err, scope.ErrInvalid)

	// One malformed record rejects the whole message.
	record := notification[len(`{"Records":[`) : len(notification)-len(`]}`)]
	got, err := presign.ParseEvent([]byte(`{"Records":[`+record+`,`+strings.Replace(record, `"carrel-landing"`, `"x"`, 1)+`]}`), "carrel-landing")
	require.ErrorIs(t, err, presign.ErrEvent)
	require.Nil(t, got)
}

// FuzzParseEvent checks that every event is in the layout of a scope and of the
// requested bucket.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(notification))
	f.Add([]byte(bridge))
	f.Add([]byte(testEvent))
	f.Add([]byte(wrap(f, notification)))
	f.Add([]byte(wrap(f, bridge)))
	f.Add([]byte(`{"Records":[{"eventVersion":"2.3","eventSource":"aws:s3","eventTime":"2026-01-02T03:04:05Z","eventName":"ObjectCreated:Put",` +
		`"s3":{"bucket":{"name":"carrel-landing"},"object":{"key":"tenant%3Da/shared/x","size":0}}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := presign.ParseEvent(raw, "carrel-landing")
		if err != nil {
			require.ErrorIs(t, err, presign.ErrEvent)
			require.Nil(t, events)
			return
		}
		for _, e := range events {
			key, err := e.Scope.Key(e.Name)
			require.NoError(t, err)
			s, name, err := scope.ParseKey(key)
			require.NoError(t, err)
			require.Equal(t, e.Scope, s)
			require.Equal(t, e.Name, name)
			require.GreaterOrEqual(t, e.Size, int64(0))
			require.Equal(t, time.UTC, e.Time.Location())
			require.NotContains(t, e.ETag+e.Version+e.Sequencer, "\n")
		}
		_, err = presign.ParseEvent(raw, "carrel-other")
		if len(events) > 0 {
			require.ErrorIs(t, err, presign.ErrEvent, "it is an event of one bucket")
		}
	})
}
