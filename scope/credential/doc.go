// Package credential turns a [scope.Scope] into AWS credentials that can reach
// nothing else: a session policy for IAM, and short-lived credentials of STS
// that carry it.
//
//	r := credential.Resources{
//		Account: "123456789012", Region: "eu-central-1",
//		Landing: "carrel-landing", Raw: "carrel-raw", Table: "carrel",
//	}
//	vendor, err := credential.New(sts.NewFromConfig(cfg), "arn:aws:iam::123456789012:role/carrel-tenant", r, nil)
//	…
//	o := client.Options() // of one s3.Client for the whole process
//	o.Credentials = vendor.Provider(session, credential.Agent)
//	bucket, err := s3object.Open(s3.New(o), "carrel-raw", nil)
//
// So isolation holds twice: the code can't build a foreign key, and AWS refuses
// one that some other code has built. [Policy] is the second lock by itself. A
// [Vendor] asks STS for sessions of one role, each narrowed by the policy of a
// scope and a [Purpose], and keeps them until shortly before they end.
// [SessionName] returns the name of such a session in CloudTrail.
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
// Purposes combine: Agent|Writer is one session that may do both. No policy
// allows a wildcard in an action, or Scan. Batches and PartiQL are not granted;
// the parts of a transaction are held to the same partition keys. Every policy
// denies resources of another account (aws:ResourceAccount) and requests without
// TLS (aws:SecureTransport).
//
// Keep approvals (tools/approval) in a table of their own, Resources.Approvals,
// and give only an Approver's credentials to the code that records and decides
// them. IAM sees partition keys alone, so in one table the holder of a Tracker's
// credentials could approve its own calls.
//
// What the package does not do: it makes no roles and no buckets, and does not
// change what the role itself may do: a session has what both the role and the
// policy allow. It grants no keys of KMS, so with buckets or tables under a
// customer's key the role's own rights do not reach through. It can't stop a
// Tracker from putting any index attribute on its own items, because IAM sees
// the base partition alone: readers of an index recheck, as scope/table does.
//
// Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session,
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html,
// https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html.
package credential
