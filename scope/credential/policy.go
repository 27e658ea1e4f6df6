package credential

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// MaxPolicy is how many characters STS takes as a session policy. Besides, STS
// packs the policy into the session token and has a limit for that too, which
// nobody can compute beforehand; see [ErrTooLong].
const MaxPolicy = 2048

// Policy returns the session policy of a scope for a purpose: a JSON document
// of at most [MaxPolicy] characters, without white space. The same arguments
// always give the same text.
//
// The S3 part allows objects whose key begins with the scope's prefix, which
// ends in "/", and a list only where the request names such a prefix. The
// DynamoDB part allows requests all of whose partition keys are listed, exactly;
// a request in which AWS sees no partition key at all satisfies a ForAllValues
// condition by itself, and is shut out by the Null condition beside it.
//
// Under a read-only scope the policy allows what the purpose reads.
//
// Errors: scope.ErrDenied for the zero Scope and if the purpose does not exist at
// the scope's level, scope.ErrReadOnly if the scope is read-only and the purpose
// only writes, [ErrInvalid], [ErrTooLong], and those of
// [scope.Scope.Index] for an invalid class.
func Policy(s scope.Scope, p Purpose, r Resources) (string, error) {
	text, err := build(s, p, r)
	if err != nil {
		return "", fmt.Errorf("credential: policy: %w", err)
	}
	return text, nil
}

func build(s scope.Scope, p Purpose, r Resources) (string, error) {
	if err := p.check(s); err != nil {
		return "", err
	}
	r, err := r.normal()
	if err != nil {
		return "", err
	}
	if err := r.needs(p); err != nil {
		return "", err
	}
	statements, err := r.statements(s, p)
	if err != nil {
		return "", err
	}
	return encode(statements)
}

func (r Resources) statements(s scope.Scope, p Purpose) ([]statement, error) {
	var all []statement
	prefix, partition := s.Prefix(), s.Partition()
	// The grammars of scope promise it. If ever they allow more, nobody gets a
	// policy, rather than a wide one.
	if !plain(prefix) || !strings.HasSuffix(prefix, "/") || !plain(partition) {
		return nil, invalid("scope %.80q has a character that means something to IAM", prefix)
	}
	mayWrite := s.RequireWrite() == nil
	if p&Signer != 0 && mayWrite {
		age := strconv.FormatInt(int64(r.SignatureAge/time.Millisecond), 10)
		all = append(all, statement{
			Action:   texts{"s3:PutObject", "s3:AbortMultipartUpload"},
			Resource: texts{r.objects(r.Landing, prefix)},
			// IfExists: the key is there in presigned requests alone. One that is
			// signed in its headers is good for 15 minutes anyway.
			Condition: conditions{"NumericLessThanEqualsIfExists": {"s3:signatureAge": {age}}},
		})
	}
	if p&Agent != 0 {
		get, ls := statement{Action: texts{"s3:GetObject", "s3:GetObjectVersion"}}, statement{Action: texts{"s3:ListBucket"}}
		for _, bucket := range []string{r.Landing, r.Raw} {
			if bucket != "" {
				get.Resource = append(get.Resource, r.objects(bucket, prefix))
				ls.Resource = append(ls.Resource, r.bucket(bucket))
			}
		}
		ls.Condition = conditions{"StringLike": {"s3:prefix": {prefix + "*"}}}
		all = append(all, get, ls)
	}
	if p&Writer != 0 && mayWrite {
		all = append(all, statement{
			Action:   texts{"s3:PutObject", "s3:DeleteObject"},
			Resource: texts{r.objects(r.Raw, prefix)},
		})
	}
	if p&Tracker != 0 {
		actions := texts{"dynamodb:GetItem", "dynamodb:Query"}
		if mayWrite {
			actions = append(actions, "dynamodb:PutItem", "dynamodb:DeleteItem")
		}
		all = append(all, statement{
			Action:    actions,
			Resource:  texts{r.table()},
			Condition: leadingKeys(partition),
		})
	}
	if p&Listing != 0 {
		st := statement{Action: texts{"dynamodb:Query"}}
		for _, name := range r.Indexes {
			st.Resource = append(st.Resource, r.table()+"/index/"+name)
		}
		var partitions texts
		for _, class := range r.Classes {
			index, err := s.Index(s.Level(), class)
			if err != nil {
				return nil, err
			}
			if !plain(index) {
				return nil, invalid("class %.80q", class)
			}
			partitions = append(partitions, index)
		}
		st.Condition = leadingKeys(partitions...)
		all = append(all, st)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w, and a %s only writes", scope.ErrReadOnly, p)
	}
	return all, nil
}

// leadingKeys holds a request to these partition keys, and to naming one.
func leadingKeys(partitions ...string) conditions {
	return conditions{
		"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": partitions},
		"Null":                      {"dynamodb:LeadingKeys": {"false"}},
	}
}

// plain reports whether s means only itself, to IAM and in JSON.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '=', c == '/', c == '#':
		default:
			return false
		}
	}
	return s != ""
}
