// Package dynamo stores the items of a table in DynamoDB. It is a [table.Driver].
//
//	client := dynamodb.NewFromConfig(cfg)
//	err := dynamo.CreateTable(ctx, client, "carrel", nil)
//	driver, err := dynamo.New(client, "carrel", nil)
//	t, err := table.New(driver, nil)
//
// Each call is one request. A write is a conditional PutItem or DeleteItem, which returns
// the current item if its condition does not hold, so a conflict does not cost a read. A
// page is one Query. A count is up to ten Queries that do not return rows. The package
// never scans.
//
// The table has the keys pk and sk and three indexes, index1 to index3, with the keys
// i1p and i1s, and so on. The attribute v is an item's version. The attribute ttl is its
// expiry in Unix seconds, and the TTL attribute of the table. All other attributes keep
// their names and have these types:
//
//	string S, bool BOOL, nil NULL, []byte B, []Value L, map[string]Value M
//	int64, and float64 with a fraction: N
//	float64 without a fraction: NS with one element, since N does not distinguish 5 from 5.0
//
// Other sets and numbers of more digits are not valid Values. Reading such an item
// returns [ErrRow], so that it cannot be put back damaged.
//
// [CreateTable] creates the table. The CloudFormation template table.template.json beside
// this file describes the same table. By default the indexes contain whole items, so each
// write of an item costs as much again for each of its indexes. Programs that list little
// of an item should set [TableOptions].
//
// DynamoDB removes expired items within days. Until then the conditions of writes, the
// filters of counts and package table hide them, by the clock of this machine.
//
// If an answer is lost, the SDK sends the request again. A conditional write that had
// succeeded then conflicts with itself: the current item of the conflict is the item that
// was put. Compare them if you must know.
//
// The package does not load configuration, retry (the SDK's client does), or support
// transactions and batches.
package dynamo
