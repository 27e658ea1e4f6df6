package credential

import (
	"fmt"
	"strings"

	"github.com/carrel-go/carrel/scope"
)

// Purpose says what credentials are for: one of the constants, or several of them
// joined by |. The zero Purpose is invalid.
type Purpose uint8

const (
	// Signer signs uploads to the landing bucket by PUT and in parts, and sends
	// the calls of a multipart upload: s3:PutObject and s3:AbortMultipartUpload.
	// It writes once: S3 refuses a request that creates an object without
	// If-None-Match. It can't read. Uploads belong to a session, so it exists at
	// that level alone. S3 refuses a signature that is older than
	// Resources.SignatureAge.
	//
	// An Agent signs downloads, so a signer of both needs Signer|Agent.
	Signer Purpose = 1 << iota

	// Agent reads the landing and the raw bucket, and lists them below the
	// scope's prefix. It can't write, whatever a model asks its tools to do.
	Agent

	// Writer stores and deletes in the raw bucket, as accepting a result does.
	// In a bucket with versions it deletes no version for good. To look at what
	// is there, and to replace or delete exactly an ETag, for which S3 wants
	// s3:GetObject as well, takes Agent|Writer.
	Writer

	// Tracker reads, queries, puts and deletes items in the scope's own
	// partition. Sessions below a user or a tenant have partitions, and so
	// credentials, of their own.
	Tracker

	// Listing queries the indexes, in the index partitions of the scope itself
	// and of Resources.Classes. It does not exist for a session: a user or a
	// tenant lists sessions.
	Listing

	// FormSigner signs uploads to the landing bucket by forms: s3:PutObject. A
	// form can't carry If-None-Match, so its holder can replace an object of the
	// session until SignatureAge has passed. It exists for a session alone.
	FormSigner

	// Cleaner deletes objects and their versions in the landing bucket, such as
	// rejected and abandoned uploads. Deleting exactly an ETag needs
	// Agent|Cleaner, since S3 asks for s3:GetObject as well.
	Cleaner

	// Approver records and decides approvals: it reads, queries and puts items
	// in the scope's own partition of Resources.Approvals, and above a session
	// it lists those that are pending. A Tracker does not reach that table, so
	// the holder of its credentials can't approve its own calls.
	Approver

	writers = Signer | FormSigner | Writer | Cleaner // purposes that only write

	all = Signer | Agent | Writer | Tracker | Listing | FormSigner | Cleaner | Approver
)

var names = [...]string{"signer", "agent", "writer", "tracker", "listing", "forms", "cleaner", "approver"}

// String returns the names joined by "+", such as "agent+writer"; "none" for
// the zero Purpose.
func (p Purpose) String() string {
	if p == 0 {
		return "none"
	}
	if p&^all != 0 {
		return fmt.Sprintf("Purpose(%#x)", uint8(p))
	}
	var set []string
	for i, name := range names {
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
	if p == 0 || p&^all != 0 {
		return invalid("purpose %s", p)
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
