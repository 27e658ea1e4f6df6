// Package table stores small, versioned records under a [scope.Scope]. Every write
// is conditional.
//
// A [Table] is a [Driver], such as DynamoDB, with the rules that all drivers share.
// [Table.In] returns a [View] of the items of one scope:
//
//	t, err := table.New(table.NewMemory(nil), nil)
//	v, err := t.In(session)
//	it, err := v.Get(ctx, "meta")
//	it.Attr["status"] = "running"
//	it, err = v.Put(ctx, it, table.Version(it.Version))
//
// An [Item] has attributes (a closed list of types, see [Value]), an optional expiry
// and up to three index entries. A write needs a [Cond]: [Absent] for a new item, or
// the [Version] that was read. If the condition does not hold, the [ConflictError]
// contains the current item, so the caller can decide without another read. A Put
// replaces all attributes. Change the item that you read: attributes that your
// version of the program does not know then survive.
//
// [View.Query] lists the scope's own partition, or one class of items in one of the
// three indexes at the scope's level. A writer may be able to forge the index attributes
// of its items, so a View drops each index row whose base partition lies outside the
// scope. A cursor contains a position and a digest of its query; the partition
// always comes from the View.
//
// A [System] works across scopes, for sweepers and recovery. Request handlers must
// not hold one.
//
// # Drivers
//
// [NewMemory] serves tests and examples. Package bolt stores items in a local file and
// package dynamo in DynamoDB. Package tabletest is the conformance suite for all
// drivers. A driver without native types can store attributes with [AppendAttr].
//
// # Sort keys
//
// Packages that share a table own these sort keys; others must not write them. If an
// owner reads an item there that it did not write, it returns an error that names the key.
//
//	sort key       partition          owner
//	meta           session            tracking: the record of an upload
//	approval#{id}  scope of the call  tools/approval: a request for approval
//	upload         session            presign/arrivals: the announcement of an upload
//	turn#{n}       session            agent/history: a turn
//	compact#{n}    session            agent/history: a compaction
//	history        session            agent/history: when a conversation was last used
//	draft          session            examples/bookshelf: the edits of a person
//	profile        session            examples/intake: the report of a file
//	parts          session            examples/intake: the plan of an upload in parts
//	file#{id}      shared             examples/intake: a file that the tenant shares
//	log#{run}#{n}  session            sse/replay: a segment of an event log
//	run#{n}        session            agent/runner: a run
//	checkpoint#{n} session            agent/runner: the newest checkpoint of a run
//	chat#{digest}  user               agent/runner: the session of a client's conversation
//	book#{id}      user, shared       the bookshelf's library: an accepted book
//	title#{id}     user               agent/chatlist: the title of a chat in the list of its user
//	accept#{id}    user               the bookshelf's library: an accept in flight
//	lookup#{d}     tenant             the bookshelf's look-up cache: an answer
//	grant#{n}      user               admission: open upload grants
//	slot#{n}       user, tenant       admission: runs in flight
//	wait#{n}       tenant             admission: runs in the queue
//	budget#{t}     tenant             admission: tokens of a period
//
// # Limits
//
// The package does not scan, write unconditionally, span transactions over items or
// retry. Expired items are hidden at once and removed later, by the store or by
// [System.Purge].
package table
