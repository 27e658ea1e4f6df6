package credential

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/carrel-go/carrel/scope"
)

// SessionName returns the RoleSessionName of a [Vendor]'s sessions for the scope and
// the purpose, such as "agent+writer@6OwtjSkrvstlaQMYL3LaNw": the purpose and 16
// bytes of the SHA-256 of the scope's partition key in base64url. CloudTrail records
// it in each event, at the end of the principal's ARN.
//
// A reader of the trail who knows a scope can find its calls, but can't read user
// ids from it. If the names of the purposes are too long for STS, their number in
// hexadecimal replaces them, such as "purpose-cf".
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
