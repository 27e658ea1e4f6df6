package bedrocktest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of one message, and the number of documents in one request.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html,
// https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html
const (
	maxImages        = 20
	maxImageBytes    = 3_750_000
	maxDocuments     = 5
	maxDocumentBytes = 4_500_000
	maxDocumentName  = 200

	// maxVideoBytes are 25 MB in base64.
	// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_VideoSource.html
	maxVideoBytes = 18_750_000
	maxNovaVideos = 1
)

var (
	imageFormats    = []string{"png", "jpeg", "gif", "webp"}
	documentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
	videoFormats    = []string{"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"}

	documentName = regexp.MustCompile(`^[a-zA-Z0-9\s()\[\]-]+$`)
	twoSpaces    = regexp.MustCompile(`\s\s`)
	s3URI        = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$`)
	account      = regexp.MustCompile(`^[0-9]{12}$`)
)

// checkMedia checks images, videos and documents, including those in tool results: each by itself, their number, the
// names of all documents, and the text beside them.
func checkMedia(in *wireRequest) string {
	names := make(map[string]bool)
	documents := 0
	for i, m := range in.Messages {
		images := 0
		said, beside := false, false
		for j, b := range m.Content {
			at := fmt.Sprintf("messages.%d.content.%d", i, j)
			said = said || b.Text != nil
			beside = beside || b.Document != nil
			media := []wireResultBlock{{Image: b.Image, Document: b.Document, Video: b.Video}}
			if b.ToolResult != nil {
				media = b.ToolResult.Content
			}
			for k, c := range media {
				at := at
				if b.ToolResult != nil {
					at = fmt.Sprintf("%s.toolResult.content.%d", at, k)
				}
				var msg string
				switch {
				case c.Image != nil:
					images++
					msg = checkImage(c.Image, at+".image")
				case c.Document != nil:
					documents++
					msg = checkDocument(c.Document, at+".document", names)
				case c.Video != nil:
					msg = checkVideo(c.Video, at+".video")
				}
				if msg != "" {
					return msg
				}
			}
		}
		switch {
		case images > maxImages:
			return fmt.Sprintf("The Message object at messages.%d contains %d images. You can include up to %d images.", i, images, maxImages)
		case documents > maxDocuments:
			return fmt.Sprintf("The number of documents in the request exceeds the limit of %d. Remove %d documents and retry your request.", maxDocuments, documents-maxDocuments)
		case beside && !said:
			return fmt.Sprintf("The Message object at messages.%d contains a document without a text block. Add a text block to the content field and try again.", i)
		}
	}
	return ""
}

func checkImage(m *wireMedia, at string) string {
	switch {
	case !slices.Contains(imageFormats, m.Format):
		return enumMessage(m.Format, at+".format", strings.Join(imageFormats, ", "))
	case m.Name != nil:
		return "Malformed input request: extraneous key [name] is not permitted, please reformat your input and try again."
	}
	return checkSource(m.Source, at+".source", "ImageSource", maxImageBytes)
}

// checkVideo also accepts the format as a media type, as Amazon Nova Pro did in a recording of pydantic-ai.
func checkVideo(m *wireMedia, at string) string {
	switch {
	case !slices.Contains(videoFormats, strings.TrimPrefix(m.Format, "video/")):
		return enumMessage(m.Format, at+".format", strings.Join(videoFormats, ", "))
	case m.Name != nil:
		return "Malformed input request: extraneous key [name] is not permitted, please reformat your input and try again."
	}
	return checkSource(m.Source, at+".source", "VideoSource", maxVideoBytes)
}

func checkDocument(m *wireMedia, at string, names map[string]bool) string {
	switch {
	case !slices.Contains(documentFormats, m.Format):
		return enumMessage(m.Format, at+".format", strings.Join(documentFormats, ", "))
	case m.Name == nil || *m.Name == "":
		return constraintMessage("", at+".name", "Member must have length greater than or equal to 1")
	case len(*m.Name) > maxDocumentName:
		return constraintMessage(*m.Name, at+".name", fmt.Sprintf("Member must have length less than or equal to %d", maxDocumentName))
	case !documentName.MatchString(*m.Name) || twoSpaces.MatchString(*m.Name):
		return "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, " +
			"parentheses, and square brackets. The name can't contain more than one consecutive whitespace character. " +
			"Check that the file name conforms to these restrictions and retry your request."
	case names[*m.Name]:
		return "Messages can't contain duplicate document names. Rename the document and retry your request."
	}
	names[*m.Name] = true
	if m.Citations != nil && m.Citations.Enabled || m.Source.Text != nil {
		return checkCited(m, at)
	}
	return checkSource(m.Source, at+".source", "DocumentSource", maxDocumentBytes)
}

// checkCited checks a document with citations. A document that is given as text must have citations.
// Source: https://github.com/boto/boto3/issues/4726, https://github.com/strands-agents/harness-sdk/pull/3582
func checkCited(m *wireMedia, at string) string {
	switch {
	case m.Citations == nil || !m.Citations.Enabled:
		return modelErrorMessage(at + ".source.text: citations must be enabled")
	case m.Format != "pdf" && m.Format != "txt":
		return "Unsupported document format. Only txt and pdf formats are supported when citations are enabled"
	case m.Format == "txt" && m.Source.Bytes != nil:
		return modelErrorMessage(at + ".source.bytes: The PDF specified was not valid.")
	case m.Source.Text != nil && countTrue(m.Source.Bytes != nil, m.Source.S3Location != nil) > 0:
		return oneKeyMessage("DocumentSource", at+".source", "bytes, s3Location, text")
	case m.Source.Text != nil && isBlank(*m.Source.Text):
		return blankMessage("DocumentSource", at+".source")
	case m.Source.Text != nil:
		return ""
	}
	return checkSource(m.Source, at+".source", "DocumentSource", maxDocumentBytes)
}

func checkSource(s wireSource, at, object string, limit int) string {
	switch {
	case countTrue(s.Bytes != nil, s.S3Location != nil) != 1:
		return oneKeyMessage(object, at, "bytes, s3Location")
	case s.S3Location != nil && !s3URI.MatchString(s.S3Location.URI):
		return constraintMessage(s.S3Location.URI, at+".s3Location.uri", "Member must satisfy regular expression pattern: "+s3URI.String())
	case s.S3Location != nil && s.S3Location.BucketOwner != nil && !account.MatchString(*s.S3Location.BucketOwner):
		return constraintMessage(*s.S3Location.BucketOwner, at+".s3Location.bucketOwner", "Member must satisfy regular expression pattern: "+account.String())
	case s.Bytes != nil && len(s.Bytes) == 0:
		return constraintMessage("", at+".bytes", "Member must have length greater than or equal to 1")
	case len(s.Bytes) > limit:
		return fmt.Sprintf("%s.bytes: the file is %d bytes, which exceeds the maximum of %d bytes.", at, len(s.Bytes), limit)
	}
	return ""
}
