// Package lock holds the proof of the second lock, as tests: servers that
// evaluate session policies refuse what lies outside a scope, also when the
// code asks for it.
//
// The library's own code runs with credentials that a credential.Vendor got for
// one scope, and is pointed by force at every other. What the scope contains
// works; all else is denied, by the server.
//
//   - S3 is versitygw with its IAM service, in the process. It checks
//     signatures and session tokens, and evaluates the policies on its side.
//     It does not know some condition keys of AWS (aws:ResourceAccount,
//     s3:if-none-match, s3:ObjectCreationOperation, s3:signatureAge); a
//     middleware and a proxy of these tests add their values to what it evaluates.
//   - DynamoDB is a real store behind a gate: a proxy that checks signatures
//     and session tokens, takes the partition keys from the request, and asks
//     versitygw's policy evaluation. Stores for tests ignore policies, hence
//     the gate. The store is the one that CARREL_BACKEND asks for, dynoxide or
//     localstack (see package backend); without, only what the gate refuses is
//     tested.
//   - AssumeRole is a stand-in that writes the session to where the IAM service
//     keeps its own, since that has AssumeRoleWithWebIdentity only.
//
// The package has no code besides its tests. What it can't prove is that AWS
// evaluates the same policies in the same way.
package lock
