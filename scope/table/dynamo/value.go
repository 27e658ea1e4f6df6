package dynamo

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/carrel-go/carrel/scope/table"
)

func encode(v table.Value) (types.AttributeValue, error) {
	switch v := v.(type) {
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}, nil
	case string:
		return encodeText(v), nil
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}, nil
	case int64:
		return encodeInt(v), nil
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if v == math.Trunc(v) {
			return &types.AttributeValueMemberNS{Value: []string{s}}, nil
		}
		return &types.AttributeValueMemberN{Value: s}, nil
	case []byte:
		return &types.AttributeValueMemberB{Value: v}, nil
	case []table.Value:
		list := make([]types.AttributeValue, len(v))
		for i, e := range v {
			var err error
			if list[i], err = encode(e); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	case map[string]table.Value:
		m := make(item, len(v))
		for name, e := range v {
			var err error
			if m[name], err = encode(e); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberM{Value: m}, nil
	}
	return nil, fmt.Errorf("the type %T is not a Value", v)
}

// decode is the inverse of encode. It returns an error for a value that encode would not
// write in the same way, because it could not be put back unchanged.
func decode(a types.AttributeValue) (table.Value, error) {
	switch a := a.(type) {
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberS:
		return a.Value, nil
	case *types.AttributeValueMemberBOOL:
		return a.Value, nil
	case *types.AttributeValueMemberN:
		return decodeNumber(a.Value)
	case *types.AttributeValueMemberNS:
		return decodeIntegral(a.Value)
	case *types.AttributeValueMemberB:
		return append([]byte{}, a.Value...), nil
	case *types.AttributeValueMemberL:
		list := make([]table.Value, len(a.Value))
		for i, e := range a.Value {
			var err error
			if list[i], err = decode(e); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *types.AttributeValueMemberM:
		m := make(map[string]table.Value, len(a.Value))
		for name, e := range a.Value {
			v, err := decode(e)
			if err != nil {
				return nil, err
			}
			m[name] = v
		}
		return m, nil
	}
	return nil, fmt.Errorf("the type %T is not a Value", a)
}

// decodeNumber decodes an N: an int64, or a float64 with a fraction.
func decodeNumber(s string) (table.Value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	f, exact, err := parseNumber(s)
	switch {
	case err != nil:
		return nil, err
	case exact.IsInt() && exact.Num().IsInt64(): // such as "1E2"
		return exact.Num().Int64(), nil
	case exact.IsInt() || !isShortest(f, exact):
		return nil, fmt.Errorf("the number %s is not a Value", s)
	}
	return f, nil
}

// decodeIntegral decodes an NS: an integral float64.
func decodeIntegral(set []string) (table.Value, error) {
	if len(set) != 1 {
		return nil, fmt.Errorf("a set of %d numbers is not a Value", len(set))
	}
	f, exact, err := parseNumber(set[0])
	if err == nil && (!exact.IsInt() || !isShortest(f, exact)) {
		err = fmt.Errorf("a set of the number %s is not a Value", set[0])
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// parseNumber parses a decimal number in the range of DynamoDB.
func parseNumber(s string) (float64, *big.Rat, error) {
	bad := fmt.Errorf("%.50q is not a DynamoDB number", s)
	const maxLen = 200 // far more than 38 digits, sign, point and exponent
	if len(s) > maxLen || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, nil, bad
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, nil, bad
	}
	switch abs := math.Abs(f); { // before a huge exponent makes a huge Rat
	case f == 0 && strings.ContainsAny(s, "123456789"), f != 0 && (abs < 1e-130 || abs >= 1e126):
		return 0, nil, bad
	case f == 0:
		return 0, new(big.Rat), nil
	}
	exact, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, nil, bad
	}
	return f, exact, nil
}

// isShortest reports whether encode would write f as this number.
func isShortest(f float64, exact *big.Rat) bool {
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && r.Cmp(exact) == 0
}
