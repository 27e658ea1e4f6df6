package presign

import "fmt"

// The limits of S3, see
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html.
const (
	// MinPartSize is the smallest that a part may be, in bytes, unless it is the last.
	MinPartSize = 5 << 20

	// MaxParts is how many parts an upload may have.
	MaxParts = 10_000

	// DefaultPartSize is how large parts are, in bytes, where MaxParts of them suffice.
	DefaultPartSize = 64 << 20

	// MaxMultipartSize is the largest object that can be planned, in bytes.
	MaxMultipartSize = 5 << 40
)

// Multipart is the plan of an upload in parts. [Signer.CreateMultipart] makes
// one; the server keeps it with the session's record, as JSON for instance, and
// gives the client ID and PartSize. What comes back from a client is the ID
// alone, by which the server looks the plan up in that session.
//
// The plan holds no key. ID is what S3 calls the upload, opaque, and S3 accepts
// it for one key only; every operation builds that key anew from the session
// that its caller holds and from Name. So an ID that has leaked, or that a
// client makes up, opens nothing in another session: S3 answers that there is no
// such upload. A plan that a client could change would still bind it to its
// session, but no longer to Size: hence it stays on the server.
type Multipart struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Size     int64  `json:"size"`      // bytes of the whole object
	PartSize int64  `json:"part_size"` // bytes of each part but the last, which has the rest
	Digests  bool   `json:"digests"`   // each part is signed with its SHA-256
}

// Part is a part that has been uploaded.
type Part struct {
	ETag   string // as S3 answered to the client's PUT, quotes included
	SHA256 []byte // 32 bytes; the digest that was granted, where the plan has Digests
}

// Parts returns how many parts the plan has; their numbers are 1 to Parts.
func (m Multipart) Parts() int {
	return int((m.Size + m.PartSize - 1) / m.PartSize)
}

// length returns how many bytes a part has.
func (m Multipart) length(number int) int64 {
	return min(m.PartSize, m.Size-int64(number-1)*m.PartSize)
}

func (m Multipart) check() error {
	switch {
	case m.Size < 1 || m.Size > MaxMultipartSize:
		return invalid("a size of %d bytes; 1 to %d are possible", m.Size, int64(MaxMultipartSize))
	case m.PartSize < MinPartSize || m.PartSize > MaxSize:
		return invalid("parts of %d bytes; %d to %d are possible", m.PartSize, MinPartSize, int64(MaxSize))
	case m.Parts() > MaxParts:
		return invalid("%d parts; %d are possible", m.Parts(), MaxParts)
	case !validType(m.Type):
		return invalid("media type %.80q", m.Type)
	}
	return nil
}

// checkID holds an id, which has been with a client, to what can stand in a URL.
func checkID(id string) error {
	if id == "" || len(id) > 1024 || !visible(id) {
		return invalid("upload id %.80q", id)
	}
	return nil
}

func (m Multipart) checkParts(parts []Part) error {
	if len(parts) != m.Parts() {
		return fmt.Errorf("%w: %d of %d", ErrParts, len(parts), m.Parts())
	}
	for i, p := range parts {
		if p.ETag == "" || len(p.ETag) > 1024 || !visible(p.ETag) {
			return fmt.Errorf("%w: the ETag of part %d is %.80q", ErrParts, i+1, p.ETag)
		}
		if m.Digests != (p.SHA256 != nil) {
			return fmt.Errorf("%w: part %d and the plan differ on digests", ErrParts, i+1)
		}
		if err := checkDigest(p.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
