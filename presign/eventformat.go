package presign

import (
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// formatOf returns the member that identifies the format of a message: "Records"
// of an S3 notification, "detail-type" of EventBridge, "Event" of S3's test event
// or "TopicArn" of an SNS envelope. It rejects a message with two of them, which
// different readers would read differently.
func formatOf(m strictjson.Value) (string, error) {
	format := ""
	for _, name := range []string{"Records", "detail-type", "Event", "TopicArn"} {
		if _, ok := m.Get(name); !ok {
			continue
		}
		if format != "" {
			return "", eventf("members %q and %q in one message", format, name)
		}
		format = name
	}
	if format == "" {
		return "", eventf("neither an S3 notification nor an event from EventBridge")
	}
	return format, nil
}

// openEnvelope returns the message in the envelope of an SNS notification.
func openEnvelope(m strictjson.Value) (strictjson.Value, error) {
	var r memberReader
	kind, topic, message := r.readText(m, "Type"), r.readText(m, "TopicArn"), r.readText(m, "Message")
	r.readText(m, "MessageId")
	switch {
	case r.err != nil:
		return m, r.err
	case kind != "Notification":
		return m, eventf("SNS message of type %.80q", kind)
	case !isTopicARN(topic):
		return m, eventf("invalid SNS topic %.80q", topic)
	}
	inner, err := strictjson.ParseObject([]byte(message))
	if err != nil {
		return m, eventf("the message in an SNS notification: %s", err)
	}
	return inner, nil
}

// isTopicARN reports whether arn is arn:PARTITION:sns:REGION:ACCOUNT:NAME.
func isTopicARN(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "sns" && parts[1] != "" && parts[3] != "" &&
		parts[4] != "" && parts[5] != ""
}
