package presign

import "strings"

// formatOf returns the member by which a message shows its format: "Records" of
// an S3 notification, "detail-type" of EventBridge, "Event" of S3's test event or
// "TopicArn" of an SNS envelope. A message that shows two of them means different
// things to different readers, so it is rejected.
func formatOf(m members) (string, error) {
	format := ""
	for _, name := range []string{"Records", "detail-type", "Event", "TopicArn"} {
		if _, ok := m[name]; !ok {
			continue
		}
		if format != "" {
			return "", event("members %q and %q in one message", format, name)
		}
		format = name
	}
	if format == "" {
		return "", event("neither an S3 notification nor an event of EventBridge")
	}
	return format, nil
}

// unwrap returns the message within m if m is the envelope of an SNS
// notification, and m itself if it is not an envelope.
func unwrap(m members) (members, error) {
	if format, err := formatOf(m); err != nil || format != "TopicArn" {
		return m, err
	}
	var e reading
	kind, topic, message := e.text(m, "Type"), e.text(m, "TopicArn"), e.text(m, "Message")
	e.text(m, "MessageId")
	switch {
	case e.err != nil:
		return nil, e.err
	case kind != "Notification":
		return nil, event("SNS message of type %.80q", kind)
	case !isTopic(topic):
		return nil, event("SNS topic %.80q", topic)
	}
	inner, err := parseJSON([]byte(message))
	if err != nil {
		return nil, event("the message within an SNS notification: %s", err)
	}
	return inner, nil
}

// isTopic reports whether arn is arn:PARTITION:sns:REGION:ACCOUNT:NAME.
func isTopic(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "sns" && parts[1] != "" && parts[3] != "" && parts[4] != "" && parts[5] != ""
}
