// Package lock tests the second lock: servers that evaluate session policies
// deny access outside a scope, even if the code requests it.
//
// The library's own code runs with credentials that a credential.Vendor made
// for one scope, and is forced to access every other one. Requests inside the
// scope work. The server denies all others.
//
//   - S3 is versitygw with its IAM service, inside the process. It checks
//     signatures and session tokens, and evaluates the policies.
//     It does not support some condition keys of AWS (aws:ResourceAccount,
//     s3:if-none-match, s3:ObjectCreationOperation, s3:signatureAge). A
//     middleware and a proxy of these tests add their values.
//   - DynamoDB is a real store behind a gate. The gate is a proxy that checks
//     signatures and session tokens, reads the partition keys from the request,
//     and asks versitygw's policy evaluation, since stores for tests ignore
//     policies. CARREL_BACKEND names the store, dynoxide or localstack (see
//     package backend). Without it, the tests cover only the gate's denials.
//   - AssumeRole is a stand-in that stores sessions for the IAM service, which
//     supports AssumeRoleWithWebIdentity only.
//
// The package contains only tests. They cannot prove that AWS evaluates the
// same policies in the same way.
package lock
