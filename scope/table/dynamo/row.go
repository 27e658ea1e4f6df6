package dynamo

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/carrel-go/carrel/scope/table"
)

// The attributes of the driver, whose names package table reserves.
const (
	partitionName = "pk"
	sortName      = "sk"
	versionName   = "v"
	ttlName       = "ttl"
)

const slots = int(table.I3)

func indexKeyNames(slot table.Slot) (partition, sort string) {
	switch slot {
	case table.I1:
		return "i1p", "i1s"
	case table.I2:
		return "i2p", "i2s"
	}
	return "i3p", "i3s"
}

type item = map[string]types.AttributeValue

func encodeText(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func encodeKey(partition, sort string) item {
	return item{partitionName: encodeText(partition), sortName: encodeText(sort)}
}

func encodeRow(r table.Row) (item, error) {
	out := make(item, len(r.Attr)+4+2*slots)
	for name, v := range r.Attr {
		e, err := encode(v)
		if err != nil {
			return nil, fmt.Errorf("dynamo: encode %q: %w", name, err)
		}
		out[name] = e
	}
	out[partitionName], out[sortName] = encodeText(r.Partition), encodeText(r.Sort)
	out[versionName] = encodeInt(r.Version)
	if !r.Expires.IsZero() {
		out[ttlName] = encodeInt(r.Expires.Unix())
	}
	for i, x := range r.Index {
		if x[0] != "" {
			p, s := indexKeyNames(table.Slot(i + 1))
			out[p], out[s] = encodeText(x[0]), encodeText(x[1])
		}
	}
	return out, nil
}

// decodeRow is the inverse of encodeRow.
func decodeRow(it item) (table.Row, error) {
	r, err := decodeListed(it)
	if err == nil && r.Version < 1 {
		err = fmt.Errorf("%w: %q does not have a version", ErrRow, r.Sort)
	}
	return r, err
}

// decodeListed is decodeRow for an item of an index. If the index contains only a part of
// the item, the version is 0.
func decodeListed(it item) (table.Row, error) {
	r := decodeKeys(it)
	bad := func(name string, err error) (table.Row, error) {
		return table.Row{}, fmt.Errorf("%w: %q, attribute %q: %w", ErrRow, r.Sort, name, err)
	}
	r.Attr = make(map[string]table.Value, len(it))
	for name, a := range it {
		if isKey(name) {
			continue
		}
		v, err := decode(a)
		if err != nil {
			return bad(name, err)
		}
		n, whole := v.(int64)
		switch {
		case name == versionName && whole && n > 0:
			r.Version = n
		case name == ttlName && whole:
			r.Expires = time.Unix(n, 0).UTC()
		case name == versionName, name == ttlName, strings.HasPrefix(name, "_"):
			return bad(name, fmt.Errorf("unexpected value %v", v))
		default:
			r.Attr[name] = v
		}
	}
	return r, nil
}

// decodeKeys decodes the keys only. It ignores an incomplete index entry, because the
// item is not in that index.
func decodeKeys(it item) table.Row {
	str := func(name string) string {
		s, _ := it[name].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	r := table.Row{Partition: str(partitionName), Sort: str(sortName)}
	for i := range slots {
		p, s := indexKeyNames(table.Slot(i + 1))
		if x := [2]string{str(p), str(s)}; x[0] != "" && x[1] != "" {
			r.Index[i] = x
		}
	}
	return r
}

func isKey(name string) bool {
	switch name {
	case partitionName, sortName, "i1p", "i1s", "i2p", "i2s", "i3p", "i3s":
		return true
	}
	return false
}
