package credential

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// Purpose is a set of permissions: one of the constants, or several joined by |. The
// zero Purpose is invalid.
type Purpose uint8

const (
	// Signer signs uploads to the landing bucket by PUT and in parts, and sends
	// the calls of a multipart upload: s3:PutObject and s3:AbortMultipartUpload.
	// It writes once: S3 denies a request that creates an object without
	// If-None-Match. It can't read. It needs the scope of a session. S3 denies a
	// signature older than Resources.SignatureAge.
	//
	// An Agent signs downloads, so a signer of both needs Signer|Agent.
	Signer Purpose = 1 << iota

	// Agent reads and lists the landing and the raw bucket below the scope's prefix.
	// It can't write, whatever a model asks its tools to do.
	Agent

	// Writer stores and deletes objects in the raw bucket. In a bucket with versions
	// it can't delete versions permanently. Use Agent|Writer to read as well, and to
	// replace or delete an exact ETag, for which S3 requires s3:GetObject.
	Writer

	// Tracker reads, queries, puts and deletes items in the scope's own
	// partition. The sessions of a user or tenant have separate partitions and need
	// separate credentials.
	Tracker

	// Listing queries the indexes, in the scope's own index partitions of
	// Resources.Classes. It needs the scope of a user, a tenant or its shared data.
	Listing

	// FormSigner signs uploads to the landing bucket by forms: s3:PutObject. A
	// form can't carry If-None-Match, so its holder can replace an object of the
	// session until SignatureAge has passed. It needs the scope of a session.
	FormSigner

	// Cleaner deletes objects and their versions in the landing bucket, such as
	// rejected and abandoned uploads. Use Agent|Cleaner to delete an exact ETag, for
	// which S3 requires s3:GetObject.
	Cleaner

	// Approver records and decides approvals: it reads, queries and puts items
	// in the scope's own partition of Resources.Approvals, and lists pending ones
	// above a session. A Tracker can't access that table, so the holder of its
	// credentials can't approve its own calls.
	Approver

	writers = Signer | FormSigner | Writer | Cleaner // purposes that only write

	allPurposes = Signer | Agent | Writer | Tracker | Listing | FormSigner | Cleaner | Approver
)

var purposeNames = [...]string{"signer", "agent", "writer", "tracker", "listing", "forms", "cleaner", "approver"}

// String returns the names joined by "+", such as "agent+writer"; "none" for
// the zero Purpose.
func (p Purpose) String() string {
	if p == 0 {
		return "none"
	}
	if p&^allPurposes != 0 {
		return fmt.Sprintf("Purpose(%#x)", uint8(p))
	}
	var set []string
	for i, name := range purposeNames {
		if p&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, "+")
}

// check returns an error if the purpose is invalid or does not exist at the
// scope's level.
func (p Purpose) check(s scope.Scope) error {
	if err := s.Require(); err != nil {
		return err
	}
	if p == 0 || p&^allPurposes != 0 {
		return invalidf("purpose %s: must be one or more of the constants", p)
	}
	if err := s.RequireWrite(); err != nil && p&^writers == 0 {
		return fmt.Errorf("%w, and a %s only writes", err, p)
	}
	if p&(Signer|FormSigner) != 0 {
		if err := s.Require(scope.SessionLevel); err != nil {
			return fmt.Errorf("%w for a signer", err)
		}
	}
	if p&Listing != 0 {
		if err := s.Require(scope.UserLevel, scope.SharedLevel, scope.TenantLevel); err != nil {
			return fmt.Errorf("%w for a listing", err)
		}
	}
	return nil
}
