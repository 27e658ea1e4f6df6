// Package credential turns a [scope.Scope] into AWS credentials that can access
// that scope only: an IAM session policy, and short-lived STS credentials that
// carry it.
//
//	r := credential.Resources{
//		Account: "123456789012", Region: "eu-central-1",
//		Landing: "carrel-landing", Raw: "carrel-raw", Table: "carrel",
//	}
//	vendor, err := credential.New(sts.NewFromConfig(cfg), "arn:aws:iam::123456789012:role/carrel-tenant", r, nil)
//	…
//	o := client.Options() // of one s3.Client for the whole process
//	o.Credentials = vendor.Provider(session, credential.Agent)
//	o.ExpressCredentials = nil // a provider belongs to one client and its credentials
//	bucket, err := s3object.Open(s3.New(o), "carrel-raw", nil)
//
// This enforces isolation a second time: carrel's code can't build a foreign key,
// and AWS denies one that other code has built. [Policy] returns the policy alone. A
// [Vendor] assumes one role, narrowed by the policy of a scope and a [Purpose], and
// caches the credentials until shortly before they expire. [SessionName] returns
// the name of such a session in CloudTrail.
//
// Each purpose allows, below the scope's own prefix and in its own partition:
//
//	Signer      session                      s3 put (write-once) and abort, in the landing bucket
//	FormSigner  session                      s3 put, in the landing bucket
//	Agent       tenant shared user session   s3 get and list, in both buckets
//	Writer      tenant shared user session   s3 put and delete, in the raw bucket
//	Cleaner     tenant shared user session   s3 delete, in the landing bucket
//	Tracker     tenant shared user session   dynamodb get, query, put, delete
//	Listing     tenant shared user           dynamodb query of indexes
//	Approver    tenant shared user session   dynamodb get, query, put, in the table of approvals
//
// Purposes combine: Agent|Writer allows both. Policies do not allow Scan, batches,
// PartiQL or a wildcard in an action. The parts of a transaction are limited to the
// same partition keys. Every policy denies resources of another account
// (aws:ResourceAccount) and requests without TLS (aws:SecureTransport).
//
// Keep approvals (tools/approval) in a separate table, Resources.Approvals, and give
// an Approver's credentials only to the code that records and decides them. IAM
// checks partition keys only, so in one table the holder of a Tracker's credentials
// could approve its own calls.
//
// The package does not create roles or buckets. A session may do what both the role
// and the policy allow. Policies do not grant KMS keys, so buckets and tables under a
// customer's key can't be accessed. A Tracker can put any index attribute on its
// items, because IAM checks the base partition only, so readers of an index must
// recheck, as scope/table does.
//
// Errors of this package are the service's fault, not the caller's: answer 500, or
// 503 if STS can't be reached.
//
// Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session,
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html.
package credential
