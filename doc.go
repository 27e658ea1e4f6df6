// Package carrel is a map: the code is in the packages below it, which are imported one by one.
//
// carrel is an SDK for agent pipelines on AWS in which whose data an operation may touch is a value that the code
// carries. A browser uploads straight to S3 with a presigned URL, an agent on Bedrock reads the file through tools and
// streams what it finds over SSE, a person accepts, and DynamoDB says at every moment where each upload stands.
//
//   - scope: whose data. A Scope only narrows, and it alone makes S3 keys and partition keys.
//   - scope/table: items that live under a Scope, with conditional writes; drivers in memory, in scope/table/bolt and in
//     scope/table/dynamo.
//   - scope/object: objects that live under a Scope; drivers in memory and in scope/object/s3object.
//   - scope/credential: a Scope as an IAM session policy, and as short-lived credentials.
//   - scope/oidc: a verified token as an identity with its Scopes.
//   - presign: grants to upload straight to S3 and to download, proof that an upload arrived, S3's events.
//   - tracking: pipelines and their stages, the single source of truth for every upload; tracking/trackingtest is what a
//     driver has to pass under it.
//   - tools: typed functions as tools that a model may call inside a Scope.
//   - tools/approval: a person decides whether a call runs. tools/objecttools: files of any size, for a model.
//     tools/trackingtools: what has been uploaded, and where it stands, for a model.
//   - agent: the tool-calling loop, as a stream of events; agent/agenttest: models for tests, recordings, and the suite
//     that every model passes.
//   - agent/bedrock: the model over Bedrock's ConverseStream; agent/bedrock/bedrocktest is a server that speaks it.
//   - sse: the wire format of server-sent events.
//
// examples/bookshelf puts them together as a whole server that runs on one machine.
package carrel
