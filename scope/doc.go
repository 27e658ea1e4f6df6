// Package scope says whose data an operation may touch, as a value that the code carries.
//
// A [Scope] starts at a tenant and only narrows: to a user and then to one
// session (one upload and everything made of it), or to the data that all the
// tenant's users share. Its fields are unexported and its zero value denies
// everything, so a Scope that a function receives is one that somebody with
// the right to it has made.
//
//	tenant, err := scope.Tenant("acme")
//	user, err := tenant.User("u1")
//	session, err := user.NewSession()
//	key, err := session.Key("cover.jpg") // tenant=acme/user=u1/uploads/<session>/cover.jpg
//
// This package alone builds and parses S3 keys, S3 prefixes and DynamoDB
// partition keys. Each builder has an exact inverse ([Scope.Key] and
// [ParseKey], [Scope.Partition] and [ParsePartition]), and what does not
// parse is an error: nothing is trimmed, folded, decoded or defaulted. Errors
// about a value are *[InvalidError].
//
// The layout:
//
//	tenant   tenant={t}/                          t#{t}
//	shared   tenant={t}/shared/                   t#{t}#shared
//	user     tenant={t}/user={u}/                 t#{t}#u#{u}
//	session  tenant={t}/user={u}/uploads/{s}/     t#{t}#u#{u}#s#{s}
//
// The partition key holds the whole tuple, because IAM's
// dynamodb:LeadingKeys condition sees the partition key and nothing else.
//
// What the package does not do: it opens nothing, stores nothing and checks no
// credentials. scope/table and scope/object are the ways to data; who may have
// which Scope is decided where a caller is authenticated.
package scope
