package dynamo

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/carrel-go/carrel/scope/table"
)

// Query implements [table.Driver]. A page is one request, unless DynamoDB returns an empty
// page that is not the last. Query requests one row more than the limit, to find out
// whether there is a next page. A page is shorter if DynamoDB stops at 1 MB. A count is up
// to ten requests.
func (d *Driver) Query(ctx context.Context, q table.DriverQuery) (table.DriverPage, error) {
	c, err := d.chooseClient(ctx, q.Key)
	if err != nil {
		return table.DriverPage{}, err
	}
	if q.Slot < 0 || q.Slot > table.I3 || q.Slot != 0 && q.Consistent {
		return table.DriverPage{}, fmt.Errorf("dynamo: invalid query: slot %d, consistent %t", q.Slot, q.Consistent)
	}
	in := d.newQueryInput(q)
	if q.CountOnly {
		return countRows(ctx, c, in, q)
	}
	in.Limit = aws.Int32(int32(q.Limit + 1))
	for range maxRequests {
		out, err := c.Query(ctx, in)
		if err != nil {
			return table.DriverPage{}, mapError(err)
		}
		if len(out.Items) > 0 || len(out.LastEvaluatedKey) == 0 {
			return decodePage(q, out)
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return table.DriverPage{}, fmt.Errorf("dynamo: query: %d empty pages in a row", maxRequests)
}

// maxRequests is the maximum number of requests of one call.
const maxRequests = 10

func decodePage(q table.DriverQuery, out *dynamodb.QueryOutput) (table.DriverPage, error) {
	n := min(q.Limit, len(out.Items))
	p := table.DriverPage{Rows: make([]table.Row, n), More: n < len(out.Items) || len(out.LastEvaluatedKey) > 0}
	for i, it := range out.Items[:n] {
		var err error
		if p.Rows[i], err = decodeFound(q, it); err != nil {
			return table.DriverPage{}, err
		}
	}
	return p, nil
}

// decodeFound decodes a row of a page. Rows of an index that other writers control must
// not make the page fail. A row outside the key's scope is not decoded, because package
// table drops it. A damaged row of a narrower scope is returned with its keys only, and
// Get returns its error. For a shard, all scopes are narrower.
func decodeFound(q table.DriverQuery, it item) (table.Row, error) {
	if q.Slot == 0 {
		return decodeRow(it)
	}
	bare := decodeKeys(it)
	bare.Attr = map[string]table.Value{}
	if !q.Key.Contains(bare.Partition) {
		return bare, nil
	}
	r, err := decodeListed(it)
	if own, _ := q.Key.Within(); err != nil && bare.Partition != own {
		return bare, nil
	}
	return r, err
}

// countRows sums the counts of several requests. Each examines at most the number of rows
// that are still missing, and maxRequests limits the rows that do not count.
func countRows(ctx context.Context, c Client, in *dynamodb.QueryInput, q table.DriverQuery) (table.DriverPage, error) {
	filter := liveText
	in.Select = types.SelectCount
	in.ExpressionAttributeNames["#ttl"] = ttlName
	in.ExpressionAttributeValues[":now"] = encodeInt(time.Now().Unix())
	if q.Slot != 0 {
		own, below := q.Key.Within()
		filter += " AND (#pk = :own OR begins_with(#pk, :below))"
		in.ExpressionAttributeNames["#pk"] = partitionName
		in.ExpressionAttributeValues[":own"] = encodeText(own)
		in.ExpressionAttributeValues[":below"] = encodeText(below)
	}
	in.FilterExpression = &filter
	n, examined := 0, 0
	for range maxRequests {
		in.Limit = aws.Int32(int32(min(q.Limit-n, table.MaxExamined-examined)))
		out, err := c.Query(ctx, in)
		if err != nil {
			return table.DriverPage{}, mapError(err)
		}
		n, examined = n+int(out.Count), examined+int(out.ScannedCount)
		if n >= q.Limit || len(out.LastEvaluatedKey) == 0 {
			return table.DriverPage{Count: n}, nil
		}
		if examined >= table.MaxExamined {
			break
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
	return table.DriverPage{Count: n, More: true}, nil
}

// newQueryInput returns the request for the range of a query.
func (d *Driver) newQueryInput(q table.DriverQuery) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName:                 &d.table,
		ExpressionAttributeNames:  map[string]string{},
		ExpressionAttributeValues: item{":p": encodeText(q.Key.Partition())},
		ScanIndexForward:          aws.Bool(!q.Desc),
	}
	partition, sort := partitionName, sortName
	if q.Slot == 0 {
		in.ConsistentRead = aws.Bool(q.Consistent)
	} else {
		in.IndexName = aws.String(IndexName(q.Slot))
		partition, sort = indexKeyNames(q.Slot)
	}
	in.ExpressionAttributeNames["#p"] = partition
	condition := "#p = :p"
	if q.From != "" || q.To != "" {
		in.ExpressionAttributeNames["#s"] = sort
	}
	if q.From != "" {
		in.ExpressionAttributeValues[":from"] = encodeText(q.From)
	}
	switch {
	case q.From != "" && q.To != "":
		// The only condition with two bounds includes both.
		condition += " AND #s BETWEEN :from AND :last"
		in.ExpressionAttributeValues[":last"] = encodeText(keyBefore(q.To))
	case q.From != "":
		condition += " AND #s >= :from"
	case q.To != "":
		condition += " AND #s < :to"
		in.ExpressionAttributeValues[":to"] = encodeText(q.To)
	}
	in.KeyConditionExpression = &condition
	if p := q.After; p != nil {
		in.ExclusiveStartKey = encodeKey(p.Partition, p.Sort)
		if q.Slot != 0 {
			in.ExclusiveStartKey[partition] = encodeText(q.Key.Partition())
			in.ExclusiveStartKey[sort] = encodeText(p.Index)
		}
	}
	return in
}

// keyBefore returns the greatest sort key that is less than to, which is not empty. It
// replaces the last character of to by the previous one and appends the greatest
// characters up to [table.MaxSort] bytes. The order of UTF-8 bytes is the order of
// characters.
func keyBefore(to string) string {
	last, size := utf8.DecodeLastRuneInString(to)
	b := append(make([]byte, 0, table.MaxSort), to[:len(to)-size]...)
	switch last {
	case 0:
		return string(b)
	case 0xe000: // skip the surrogates, which are not characters
		last = 0xd7ff
	default:
		last--
	}
	b = utf8.AppendRune(b, last)
	for _, greatest := range [...]rune{utf8.MaxRune, 0xffff, 0x7ff, 0x7f} { // of 4, 3, 2 and 1 bytes
		for len(b)+utf8.RuneLen(greatest) <= table.MaxSort {
			b = utf8.AppendRune(b, greatest)
		}
	}
	return string(b)
}
