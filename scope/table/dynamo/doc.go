// Package dynamo is the DynamoDB driver of scope/table.
//
//	client := dynamodb.NewFromConfig(cfg)
//	err := dynamo.CreateTable(ctx, client, "carrel", nil)
//	driver, err := dynamo.New(client, "carrel", nil)
//	t := table.New(driver, nil)
//
// A [Driver] keeps every promise of [table.Driver] by one request each: a
// write is one conditional PutItem or DeleteItem, which returns the item where
// its condition does not hold, so that a conflict costs no read; a page is one
// Query. A count is up to ten Queries, which return no rows.
// There is no Scan.
//
// The table has the keys pk and sk, and three indexes, index1 to index3, with
// the keys i1p and i1s, and so on. An item's version is v, its expiry is ttl
// (Unix seconds, the table's TTL attribute). All else is stored under its own
// name in DynamoDB's own types: S, BOOL, NULL, B, L, M; int64, and float64 with
// a fraction, as N; an integral float64 as an NS with one element, since N does
// not tell 5 from 5.0. An item with something that a [table.Value] cannot hold
// (other sets, numbers of more digits) is [ErrRow]: it is not read, so it
// cannot be put back damaged.
//
// [CreateTable] makes the table; table.template.json beside this file is the
// same table for CloudFormation. What the indexes hold of an item decides what
// it costs: by default everything, so that each write of an item is paid once
// for the table and once for each index that the item is in. Programs that
// list little of an item name it in [TableOptions].
//
// DynamoDB removes expired items when it gets to it, typically within days.
// Until then they are hidden by the conditions, by package table, and by the
// filter of a count, all by the clock of this machine.
//
// The SDK sends a request again whose answer was lost. A conditional write
// that had in fact succeeded then finds its own work, and the answer is a
// conflict whose current item is the one that was put. Who must know compares
// them.
//
// What the package does not do: it loads no configuration, makes no unbounded
// retries (the client's retryer has its own bound), and has no transactions or
// batches. Limits and expressions are those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html.
package dynamo
