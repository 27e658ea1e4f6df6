package presign

import "strings"

// formatOf returns the member that identifies the format of a message: "Records"
// of an S3 notification, "detail-type" of EventBridge, "Event" of S3's test event
// or "TopicArn" of an SNS envelope. It rejects a message with two of them, which
// different readers would read differently.
func formatOf(m members) (string, error) {
	format := ""
	for _, name := range []string{"Records", "detail-type", "Event", "TopicArn"} {
		if _, ok := m[name]; !ok {
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

// unwrap returns the message in m if m is the envelope of an SNS notification, and
// otherwise m.
func unwrap(m members) (members, error) {
	if format, err := formatOf(m); err != nil || format != "TopicArn" {
		return m, err
	}
	var e memberReader
	kind, topic, message := e.requireText(m, "Type"), e.requireText(m, "TopicArn"), e.requireText(m, "Message")
	e.requireText(m, "MessageId")
	switch {
	case e.err != nil:
		return nil, e.err
	case kind != "Notification":
		return nil, eventf("SNS message of type %.80q", kind)
	case !isTopicARN(topic):
		return nil, eventf("invalid SNS topic %.80q", topic)
	}
	inner, err := parseJSON([]byte(message))
	if err != nil {
		return nil, eventf("the message in an SNS notification: %s", err)
	}
	return inner, nil
}

// isTopicARN reports whether arn is arn:PARTITION:sns:REGION:ACCOUNT:NAME.
func isTopicARN(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "sns" && parts[1] != "" && parts[3] != "" && parts[4] != "" && parts[5] != ""
}
