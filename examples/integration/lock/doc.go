// Package lock tests the second lock: servers that evaluate session policies
// deny access outside a scope, even if the code requests it.
//
// The code of the library runs with credentials that a credential.Vendor
// created for one scope, and is forced to access all other scopes. Requests
// inside the scope succeed. The server denies all other requests.
//
//   - S3 is versitygw with its IAM service, inside the process. It checks
//     signatures and session tokens, and evaluates the policies.
//     It does not support some condition keys of AWS (aws:ResourceAccount,
//     s3:if-none-match, s3:ObjectCreationOperation, s3:signatureAge). A
//     middleware and a proxy of these tests add their values.
//   - DynamoDB is a real store behind a gate. The gate is a proxy that checks
//     signatures and session tokens, reads the partition keys from the request,
//     and evaluates the policies with versitygw, since stores for tests ignore
//     them. CARREL_BACKEND names the store, dynoxide or localstack (see
//     package backend). Without it, the tests cover only the gate's denials.
//   - AssumeRole is a stand-in that stores sessions for the IAM service, which
//     supports AssumeRoleWithWebIdentity only.
//
// The package contains only tests. They cannot prove that AWS evaluates the
// same policies in the same way.
//
// A test that uses the servers is not parallel: newVendor ends the sessions of
// all other tests, and some tests change the account that owns the buckets.
package lock
