package lock

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// tableUse is one operation of a request, which the policies must allow. keys
// contains the values of dynamodb:LeadingKeys. If keys is empty, the condition key
// is absent, as for a scan on AWS.
type tableUse struct {
	action, resource string
	keys             []string
}

type (
	object = map[string]json.RawMessage
	// write is an element of BatchWriteItem's and TransactWriteItems' lists.
	write = map[string]object
)

var errUnsupported = errors.New("the gate does not support this request")

// readUses returns the operations of a request. An unknown operation is one
// use without keys.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func readUses(op string, in object) ([]tableUse, error) {
	switch op {
	case "GetItem", "DeleteItem", "UpdateItem":
		return readItemUse(op, in, in["Key"])
	case "PutItem":
		return readItemUse(op, in, in["Item"])
	case "Query":
		return readQueryUse(in)
	case "BatchGetItem", "BatchWriteItem":
		return readBatchUses(op, in)
	case "TransactGetItems", "TransactWriteItems":
		return readTransactionUses(in)
	}
	resource := "*"
	if in["TableName"] != nil {
		arn, err := tableARN(in)
		if err != nil {
			return nil, err
		}
		resource = arn
		if index, ok := stringOf(in["IndexName"]); ok {
			resource += "/index/" + index
		}
	}
	return []tableUse{{"dynamodb:" + op, resource, nil}}, nil
}

func readItemUse(op string, in object, item json.RawMessage) ([]tableUse, error) {
	arn, err := tableARN(in)
	if err != nil {
		return nil, err
	}
	return []tableUse{{"dynamodb:" + op, arn, partitionOf(item)}}, nil
}

var (
	nameGrammar  = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
	equalGrammar = regexp.MustCompile(`(#?[A-Za-z0-9_]+)\s*=\s*(:[A-Za-z0-9_]+)`)
)

// partitionName is the key attribute of the table and of each index.
var partitionName = map[string]string{"": "pk", "index1": "i1p", "index2": "i2p", "index3": "i3p"}

// readQueryUse reads the partition from the key condition, in which DynamoDB requires
// equality on the partition key and does not allow OR or NOT.
func readQueryUse(in object) ([]tableUse, error) {
	arn, err := tableARN(in)
	if err != nil {
		return nil, err
	}
	index, ok := stringOf(in["IndexName"])
	if ok {
		arn += "/index/" + index
	}
	var condition string
	var names map[string]string
	var values map[string]object
	for raw, into := range map[string]any{"KeyConditionExpression": &condition, "ExpressionAttributeNames": &names, "ExpressionAttributeValues": &values} {
		if in[raw] != nil {
			if err := json.Unmarshal(in[raw], into); err != nil {
				return nil, errUnsupported
			}
		}
	}
	var keys []string
	for _, m := range equalGrammar.FindAllStringSubmatch(condition, -1) {
		name := m[1]
		if strings.HasPrefix(name, "#") {
			name = names[name]
		}
		if key, ok := stringOf(values[m[2]]["S"]); ok && name == partitionName[index] {
			keys = append(keys, key)
		}
	}
	return []tableUse{{"dynamodb:Query", arn, keys}}, nil
}

func readBatchUses(op string, in object) (uses []tableUse, err error) {
	var tables map[string]json.RawMessage
	if err := json.Unmarshal(in["RequestItems"], &tables); err != nil {
		return nil, errUnsupported
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		arn, err := tableARN(object{"TableName": fmt.Appendf(nil, "%q", name)})
		if err != nil {
			return nil, err
		}
		u := tableUse{"dynamodb:" + op, arn, nil}
		var reads struct{ Keys []json.RawMessage }
		var writes []write
		if op == "BatchGetItem" {
			err = json.Unmarshal(tables[name], &reads)
		} else {
			err = json.Unmarshal(tables[name], &writes)
		}
		if err != nil {
			return nil, errUnsupported
		}
		for _, item := range reads.Keys {
			u.keys = append(u.keys, partitionOf(item)...)
		}
		for _, w := range writes {
			u.keys = append(u.keys, partitionOf(w["PutRequest"]["Item"])...)
			u.keys = append(u.keys, partitionOf(w["DeleteRequest"]["Key"])...)
		}
		uses = append(uses, u)
	}
	return uses, nil
}

// readTransactionUses returns one use for each part, since each is authorized as its own operation.
func readTransactionUses(in object) (uses []tableUse, err error) {
	var parts []write
	if err := json.Unmarshal(in["TransactItems"], &parts); err != nil || len(parts) == 0 {
		return nil, errUnsupported
	}
	actions := map[string]string{"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
	for _, part := range parts {
		for kind, p := range part {
			item := p["Key"]
			if kind == "Put" {
				item = p["Item"]
			}
			u, err := readItemUse(actions[kind], p, item)
			if err != nil || actions[kind] == "" {
				return nil, errUnsupported
			}
			uses = append(uses, u...)
		}
	}
	return uses, nil
}

func tableARN(in object) (string, error) {
	name, ok := stringOf(in["TableName"])
	if !ok || !nameGrammar.MatchString(name) { // an ARN could name another account
		return "", errUnsupported
	}
	return "arn:aws:dynamodb:" + region + ":" + account + ":table/" + name, nil
}

// partitionOf returns the partition key of an item or a key, if it is a string.
func partitionOf(raw json.RawMessage) []string {
	var item map[string]object
	if raw == nil || json.Unmarshal(raw, &item) != nil {
		return nil
	}
	if key, ok := stringOf(item["pk"]["S"]); ok {
		return []string{key}
	}
	return nil
}

func stringOf(raw json.RawMessage) (s string, ok bool) {
	return s, raw != nil && json.Unmarshal(raw, &s) == nil
}
