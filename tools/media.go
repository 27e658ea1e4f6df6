package tools

import (
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/scope/object"
)

// Media is an image, a document or a video for a model. It has either its bytes or an object that holds them:
//
//	{"format":"pdf","bytes":"base64"}
//	{"format":"png","object":{"bucket":"…","key":"…","etag":"…"}}
//
// The model service limits its size. Bedrock's Converse takes images of up to 3.75 MB and 8,000 pixels
// a side, at most 20 in a request, documents of up to 4.5 MB, at most 5, and videos of up to 18.75 MB, which are 25 MB
// in base64, or 1 GB in S3. Amazon Nova, which is almost the only model that takes videos, takes one in a request.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html, …_VideoSource.html,
// https://docs.aws.amazon.com/nova/latest/userguide/modalities-video.html
type Media struct {
	// Format is the format of the bytes. An image is png, jpeg, gif or webp. A document is pdf, csv, doc, docx, xls,
	// xlsx, html, txt or md. A video is mkv, mov, mp4, webm, flv, mpeg, mpg, wmv or three_gp.
	Format string `json:"format"`
	// Bytes are base64 in JSON.
	Bytes []byte `json:"bytes,omitempty"`
	// Object names the object that holds the bytes. It is read through a Root of the run's scope.
	Object object.Ref `json:"object,omitzero"`
}

// The supported formats. A format belongs to one list only.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html, …_DocumentBlock.html,
// …_VideoBlock.html
var (
	imageFormats    = []string{"png", "jpeg", "gif", "webp"}
	documentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
	videoFormats    = []string{"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"}
)

// Block returns m as a document or a video if its format is one, otherwise as an image.
func (m Media) Block() Block {
	switch {
	case slices.Contains(documentFormats, m.Format):
		return Block{Document: &m}
	case slices.Contains(videoFormats, m.Format):
		return Block{Video: &m}
	}
	return Block{Image: &m}
}

// check returns an error unless m has one of the formats, and either bytes or an object.
func (m *Media) check(formats []string) error {
	switch {
	case !slices.Contains(formats, m.Format):
		return fmt.Errorf("invalid format %.20q: must be one of %v", m.Format, formats)
	case (len(m.Bytes) > 0) == !m.Object.IsZero():
		return fmt.Errorf("a %s must have either bytes or an object", m.Format)
	}
	return nil
}

// describe returns a line such as "png image, 12 KB".
func (m *Media) describe(kind string) string {
	s := m.Format + " " + kind
	switch n := len(m.Bytes); {
	case n >= 1<<20:
		s += fmt.Sprintf(", %.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		s += fmt.Sprintf(", %d KB", n>>10)
	case n > 0:
		s += fmt.Sprintf(", %d bytes", n)
	}
	return s
}
