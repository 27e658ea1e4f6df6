package presign

import (
	"fmt"
	"strings"
)

// The limits of S3, see
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html.
const (
	minPartSize     = 5 << 20 // of each part but the last
	maxParts        = 10_000
	maxMultipart    = 5 << 40 // bytes of the whole object
	defaultPartSize = 64 << 20
)

// Multipart is the plan of an upload in parts, made by [Signer.CreateMultipart].
// Keep it on the server with the session's record, for example as JSON. Send the
// client ID and PartSize; accept ID alone from the client and look the plan up
// in its session.
//
// The plan does not hold a key. ID is S3's opaque id of the upload, and S3
// accepts it for one key only. Every operation builds that key from the caller's
// session and from Name. A leaked or invented ID therefore opens nothing in
// another session. A plan that a client could change would no longer bind the
// upload to Size.
type Multipart struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Size     int64  `json:"size"`      // bytes of the whole object
	PartSize int64  `json:"part_size"` // bytes of each part but the last
	Digests  bool   `json:"digests"`   // each part is signed with its SHA-256
}

// Part is a part that has been uploaded. Its JSON form is
//
//	{"etag": "\"9b2c…\"", "sha256": "<base64>"}
type Part struct {
	ETag   string `json:"etag"`             // S3's answer to the client's PUT, with quotes
	SHA256 []byte `json:"sha256,omitempty"` // the granted digest, 32 bytes; required with Multipart.Digests
}

// Parts returns the number of parts, which are numbered from 1. It returns 0 for a plan
// without a size.
func (m Multipart) Parts() int {
	if m.Size < 1 || m.PartSize < 1 {
		return 0
	}
	return int((m.Size-1)/m.PartSize) + 1
}

func (m Multipart) partLength(number int) int64 {
	return min(m.PartSize, m.Size-int64(number-1)*m.PartSize)
}

func (m Multipart) check() error {
	switch {
	case m.Size < 1 || m.Size > maxMultipart:
		return invalidf("size %d: must be 1 to %d bytes", m.Size, int64(maxMultipart))
	case m.PartSize < minPartSize || m.PartSize > MaxSize:
		return invalidf("part size %d: must be %d to %d bytes", m.PartSize, minPartSize, int64(MaxSize))
	case m.Parts() > maxParts:
		return invalidf("part size %d: %d parts, must be at most %d", m.PartSize, m.Parts(), maxParts)
	}
	return checkType(m.Type)
}

// checkUploadID checks an id that a client has sent.
func checkUploadID(id string) error {
	if id == "" || len(id) > 1024 || !isVisible(id) {
		return invalidf("upload id %.80q: must be 1 to 1024 visible ASCII characters", id)
	}
	return nil
}

func (m Multipart) checkParts(parts []Part) error {
	if len(parts) != m.Parts() {
		return fmt.Errorf("%w: %d parts, must be %d", ErrParts, len(parts), m.Parts())
	}
	for i, p := range parts {
		if p.ETag == "" || len(p.ETag) > 1024 || !isVisible(p.ETag) {
			return fmt.Errorf("%w: part %d has the invalid ETag %.80q", ErrParts, i+1, p.ETag)
		}
		if m.Digests != (p.SHA256 != nil) {
			return fmt.Errorf("%w: part %d must have a SHA-256 if and only if the plan has digests", ErrParts, i+1)
		}
		if err := checkDigest(p.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// isVisible reports whether s is visible ASCII without spaces.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}
