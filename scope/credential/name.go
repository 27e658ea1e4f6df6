package credential

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/carrel-go/carrel/scope"
)

// SessionName returns the RoleSessionName of the sessions that a [Vendor] gets
// for the scope and the purpose, such as "agent+writer@6OwtjSkrvstlaQMYL3LaNw":
// after the purpose, 16 bytes of the SHA-256 of the scope's partition key, in
// base64url. CloudTrail has it in each event, as the end of the principal's ARN.
//
// It tells which scope a call was made for to somebody who knows the scope, and
// names no user to anybody else who reads the trail.
func SessionName(s scope.Scope, p Purpose) string {
	sum := sha256.Sum256([]byte(s.Partition()))
	return p.String() + "@" + base64.RawURLEncoding.EncodeToString(sum[:16])
}
