// Package scope enforces tenant isolation by a value: a [Scope] says whose data
// an operation may touch.
//
// A Scope starts at a tenant and can only be narrowed: to a user, then to one
// session of that user (one upload and everything made from it), or to the data
// that all users of the tenant share. Its fields are unexported and its zero
// value denies everything. Code that was not given a Scope cannot reach data.
//
//	tenant, err := scope.Tenant("acme")
//	user, err := tenant.User("u1")
//	session, err := user.NewSession()
//	key, err := session.Key("cover.jpg") // tenant=acme/user=u1/uploads/<session>/cover.jpg
//
// This package is the only one that builds and parses S3 keys, S3 prefixes and
// DynamoDB partition keys:
//
//	tenant   tenant={t}/                          t#{t}
//	shared   tenant={t}/shared/                   t#{t}#shared
//	user     tenant={t}/user={u}/                 t#{t}#u#{u}
//	session  tenant={t}/user={u}/uploads/{s}/     t#{t}#u#{u}#s#{s}
//
// The partition key holds the whole path because dynamodb:LeadingKeys, the IAM
// condition that separates tenants, sees only the partition key.
//
// [ParseKey] and [ParsePartition] are exact inverses of [Scope.Key] and
// [Scope.Partition]. They return an *[InvalidError] for every other string and
// never trim, fold, decode or complete a value.
//
// The package does not open or store anything and does not check credentials.
// Call [Tenant] where a caller is authenticated (package oidc does), pass the
// Scope down, and open data with packages table and object.
package scope
