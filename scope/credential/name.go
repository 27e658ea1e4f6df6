package credential

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// SessionName returns the RoleSessionName of the sessions that a [Vendor] gets
// for the scope and the purpose, such as "agent+writer@6OwtjSkrvstlaQMYL3LaNw":
// after the purpose, 16 bytes of the SHA-256 of the scope's partition key, in
// base64url. CloudTrail has it in each event, as the end of the principal's ARN.
//
// It tells which scope a call was made for to somebody who knows the scope, and
// names no user to anybody else who reads the trail. If the purposes' names are
// longer than STS allows, their number in hexadecimal stands for them, such as
// "purpose-cf".
func SessionName(s scope.Scope, p Purpose) string {
	sum := sha256.Sum256([]byte(s.Partition()))
	digest := base64.RawURLEncoding.EncodeToString(sum[:16])
	purpose := p.String()
	if len(purpose)+1+len(digest) > maxSessionName {
		purpose = fmt.Sprintf("purpose-%02x", uint8(p))
	}
	return purpose + "@" + digest
}

// maxSessionName is STS's limit, in characters.
const maxSessionName = 64
