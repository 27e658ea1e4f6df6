// Package carrel is the root of a Go SDK for multi-tenant agent pipelines on AWS. It does not have code: import the
// packages below it one at a time.
//
// A browser uploads a file straight to S3 with a presigned URL. An agent on Bedrock reads the file through tools and
// streams its progress over SSE. A person accepts the result, and DynamoDB records where each upload stands. A
// [scope.Scope] bounds every operation to a tenant, a user or a session.
//
//   - scope: tenants, users, sessions and shared data; S3 keys and partition keys.
//   - scope/table: items under a Scope with conditional writes; drivers in memory, in scope/table/bolt and in
//     scope/table/dynamo.
//   - scope/object: objects under a Scope; drivers in memory and in scope/object/s3object.
//   - scope/credential: a Scope as an IAM session policy and as short-lived credentials.
//   - scope/oidc: verified tokens to identities with their Scopes.
//   - presign: grants to upload to S3 and to download, proof of arrival, S3 events.
//   - tracking: pipelines and their stages; tracking/trackingtest is the suite for its drivers.
//   - tools: typed functions as tools that a model calls within a Scope. tools/approval lets a person decide about a
//     call; tools/objecttools reads files of any size; tools/trackingtools shows uploads and their state.
//   - agent: the tool-calling loop as a stream of events; agent/agenttest has models and a suite for tests.
//   - agent/bedrock: models over Bedrock's ConverseStream; agent/bedrock/bedrocktest is a server that speaks it.
//   - sse: server-sent events on the wire.
//   - httpapi: errors as problems, strict JSON bodies and a guard against pages of other sites.
//
// examples/bookshelf assembles the packages into a server that runs on one machine.
//
// [scope.Scope]: https://pkg.go.dev/github.com/carrel-go/carrel/scope#Scope
package carrel
