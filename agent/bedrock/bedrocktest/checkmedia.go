package bedrocktest

import (
	"cmp"
	"fmt"
	"regexp"
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
	names := make(map[string]bool) // of the documents so far
	for i, m := range in.Messages {
		images := 0
		hasText, hasDocument := false, false
		for j, b := range m.Content {
			hasText = hasText || b.Text != nil
			hasDocument = hasDocument || b.Document != nil
			for at, c := range b.media(blockPath(i, j)) {
				if c.Image != nil {
					images++
				}
				if msg := checkMedium(c, at, names); msg != "" {
					return msg
				}
			}
		}
		switch {
		case images > maxImages:
			const format = "The Message object at messages.%d contains %d images. You can include up to %d images."
			return fmt.Sprintf(format, i, images, maxImages)
		case len(names) > maxDocuments:
			const format = "The number of documents in the request exceeds the limit of %d. " +
				"Remove %d documents and retry your request."
			return fmt.Sprintf(format, maxDocuments, len(names)-maxDocuments)
		case hasDocument && !hasText:
			const format = "The Message object at messages.%d contains a document without a text block. " +
				"Add a text block to the content field and try again."
			return fmt.Sprintf(format, i)
		}
	}
	return ""
}

// checkMedium accepts the format of a video also as a media type, as Amazon Nova Pro did in a recording of pydantic-ai.
func checkMedium(c wireMediaUnion, at string, names map[string]bool) string {
	switch {
	case c.Image != nil:
		return checkFile(c.Image, c.Image.Format, at+".image", "ImageSource", imageFormats, maxImageBytes)
	case c.Document != nil:
		return checkDocument(c.Document, at+".document", names)
	case c.Video != nil:
		format := strings.TrimPrefix(c.Video.Format, "video/")
		return checkFile(c.Video, format, at+".video", "VideoSource", videoFormats, maxVideoBytes)
	}
	return ""
}

// checkFile checks an image or a video, which must not have a name.
func checkFile(m *wireMedia, format, at, object string, formats []string, limit int) string {
	if msg := checkEnum(format, at+".format", formats...); msg != "" {
		return msg
	}
	if m.Name != nil {
		return malformedMessage("extraneous key [name] is not permitted")
	}
	return checkSource(m.Source, at+".source", object, limit)
}

func checkDocument(m *wireMedia, at string, names map[string]bool) string {
	if msg := checkEnum(m.Format, at+".format", documentFormats...); msg != "" {
		return msg
	}
	switch {
	case m.Name == nil || *m.Name == "":
		return constraintMessage("", at+".name", notEmpty)
	case len(*m.Name) > maxDocumentName:
		return constraintMessage(*m.Name, at+".name", atMost(maxDocumentName))
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
	case m.Source.Text == nil:
		return checkSource(m.Source, at+".source", "DocumentSource", maxDocumentBytes)
	}
	at += ".source"
	return cmp.Or(checkUnion("DocumentSource", at, m.Source), checkBlank(*m.Source.Text, "DocumentSource", at))
}

func checkSource(s wireSource, at, object string, limit int) string {
	switch {
	case (s.Bytes == nil) == (s.S3Location == nil):
		return oneKeyMessage(object, at, "bytes", "s3Location")
	case s.S3Location != nil:
		msg := checkPattern(s.S3Location.URI, at+".s3Location.uri", s3URI)
		if owner := s.S3Location.BucketOwner; msg == "" && owner != nil {
			msg = checkPattern(*owner, at+".s3Location.bucketOwner", account)
		}
		return msg
	case len(s.Bytes) == 0:
		return constraintMessage("", at+".bytes", notEmpty)
	case len(s.Bytes) > limit:
		return fmt.Sprintf("%s.bytes: the file is %d bytes, which exceeds the maximum of %d bytes.", at, len(s.Bytes), limit)
	}
	return ""
}
