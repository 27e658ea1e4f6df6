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
// ends in "/", and a list only if the request names such a prefix. The DynamoDB
// part allows requests all of whose partition keys are listed, exactly. A request
// in which AWS sees no partition key satisfies a ForAllValues condition by itself;
// the Null condition beside it excludes it. Two statements deny requests to
// resources of another account and requests without TLS, whatever else allows
// them.
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

// approvals is the class in which tools/approval lists pending requests.
const approvals = "approvals"

func (r Resources) statements(s scope.Scope, p Purpose) ([]statement, error) {
	prefix, partition := s.Prefix(), s.Partition()
	// The grammars of scope promise it. If ever they allow more, there are no
	// policies, rather than wide ones.
	if !plain(prefix) || !strings.HasSuffix(prefix, "/") || !plain(partition) {
		return nil, invalid("scope %.80q has a character that means something to IAM", prefix)
	}
	items, records := texts{"dynamodb:GetItem", "dynamodb:Query"}, texts{"dynamodb:GetItem", "dynamodb:Query"}
	if s.RequireWrite() == nil {
		items = append(items, "dynamodb:PutItem")
		records = append(records, "dynamodb:PutItem", "dynamodb:DeleteItem")
	} else {
		p &^= writers
	}
	all := append(r.guards(), r.uploads(p, prefix)...)
	if p&Agent != 0 {
		all = append(all, r.reads(prefix)...)
	}
	if p&Writer != 0 {
		all = append(all, allow(r.objects(r.Raw, prefix), nil, "s3:PutObject", "s3:DeleteObject"))
	}
	if p&Cleaner != 0 {
		all = append(all, allow(r.objects(r.Landing, prefix), nil, "s3:DeleteObject", "s3:DeleteObjectVersion"))
	}
	if p&Tracker != 0 {
		all = append(all, allow(r.table(r.Table), leadingKeys(partition), records...))
	}
	if p&Listing != 0 {
		list, err := r.lists(s, r.Table, r.Classes)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	if p&Approver != 0 {
		all = append(all, allow(r.table(r.Approvals), leadingKeys(partition), items...))
		if s.Level() != scope.SessionLevel && len(r.Indexes) > 0 {
			list, err := r.lists(s, r.Approvals, []string{approvals})
			if err != nil {
				return nil, err
			}
			all = append(all, list)
		}
	}
	return all, nil
}

// guards deny what is not the account's, such as a bucket that somebody else has
// made under the name of a deleted one, and what is sent without TLS. A request
// without these keys is denied as well.
func (r Resources) guards() []statement {
	return []statement{
		{Effect: "Deny", Action: texts{"*"}, Resource: texts{"*"}, Condition: conditions{"StringNotEquals": {"aws:ResourceAccount": {r.Account}}}},
		{Effect: "Deny", Action: texts{"*"}, Resource: texts{"*"}, Condition: conditions{"BoolIfExists": {"aws:SecureTransport": {"false"}}}},
	}
}

// uploads allows signers to write. The request that creates an object (a PUT, a
// Complete, a copy) must carry If-None-Match, whose only value is "*"; those that
// begin an upload in parts or send one can't carry it. See
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html.
func (r Resources) uploads(p Purpose, prefix string) []statement {
	objects := r.objects(r.Landing, prefix)
	// IfExists: the key is there in presigned requests alone. A request that is
	// signed in its headers is good for 15 minutes anyway.
	age := map[string]texts{"s3:signatureAge": {strconv.FormatInt(int64(r.SignatureAge/time.Millisecond), 10)}}
	var all []statement
	if p&Signer != 0 {
		all = append(all,
			allow(objects, conditions{"Null": {"s3:if-none-match": {"false"}}, "NumericLessThanEqualsIfExists": age}, "s3:PutObject"),
			allow(objects, conditions{"Bool": {"s3:ObjectCreationOperation": {"false"}}, "NumericLessThanEqualsIfExists": age}, "s3:PutObject"),
			allow(objects, nil, "s3:AbortMultipartUpload"))
	}
	if p&FormSigner != 0 {
		all = append(all, allow(objects, conditions{"NumericLessThanEqualsIfExists": age}, "s3:PutObject"))
	}
	return all
}

func (r Resources) reads(prefix string) []statement {
	get := statement{Effect: "Allow", Action: texts{"s3:GetObject", "s3:GetObjectVersion"}}
	list := statement{Effect: "Allow", Action: texts{"s3:ListBucket"}, Condition: conditions{"StringLike": {"s3:prefix": {prefix + "*"}}}}
	for _, bucket := range []string{r.Landing, r.Raw} {
		if bucket != "" {
			get.Resource = append(get.Resource, r.objects(bucket, prefix))
			list.Resource = append(list.Resource, r.bucket(bucket))
		}
	}
	return []statement{get, list}
}

// lists allows queries of a table's indexes, in the scope's own partitions of the
// classes.
func (r Resources) lists(s scope.Scope, table string, classes []string) (statement, error) {
	var partitions texts
	for _, class := range classes {
		index, err := s.Index(s.Level(), class)
		if err != nil {
			return statement{}, err
		}
		if !plain(index) {
			return statement{}, invalid("class %.80q", class)
		}
		partitions = append(partitions, index)
	}
	return statement{Effect: "Allow", Action: texts{"dynamodb:Query"}, Resource: r.indexes(table), Condition: leadingKeys(partitions...)}, nil
}

func allow(resource string, c conditions, actions ...string) statement {
	return statement{Effect: "Allow", Action: actions, Resource: texts{resource}, Condition: c}
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
