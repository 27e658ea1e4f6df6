package credential

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/carrel-go/carrel/scope"
)

// maxPolicy is STS's limit for a session policy, in characters. STS also limits the
// packed policy, whose size can't be computed in advance; see assumeRole.
const maxPolicy = 2048

// Policy returns the session policy of a scope for a purpose: a JSON document
// of at most 2,048 characters, without white space. It is deterministic.
//
// The S3 part allows objects whose key begins with the scope's prefix, which
// ends in "/", and a list only if the request names such a prefix. The DynamoDB
// part allows requests all of whose partition keys are listed, exactly. A request
// without a partition key satisfies a ForAllValues condition; a Null condition
// excludes it. Two statements deny requests to resources of another account and
// requests without TLS. For a read-only scope the policy allows only reads.
//
// It returns scope.ErrDenied for the zero Scope, scope.ErrLevel if the purpose needs
// another level, scope.ErrReadOnly if the scope is read-only and the purpose only
// writes, and an error that names the argument if r or a class is invalid or the policy
// is too long.
func Policy(s scope.Scope, p Purpose, r Resources) (string, error) {
	text, err := buildPolicy(s, p, r)
	if err != nil {
		return "", fmt.Errorf("credential: policy: %w", err)
	}
	return text, nil
}

func buildPolicy(s scope.Scope, p Purpose, r Resources) (string, error) {
	if err := p.check(s); err != nil {
		return "", err
	}
	r, err := r.withDefaults()
	if err != nil {
		return "", err
	}
	if err := r.checkNeeds(p); err != nil {
		return "", err
	}
	statements, err := r.buildStatements(s, p)
	if err != nil {
		return "", err
	}
	return encodePolicy(statements)
}

// approvals is the class in which tools/approval lists pending requests.
const approvals = "approvals"

func (r Resources) buildStatements(s scope.Scope, p Purpose) ([]statement, error) {
	prefix, partition := s.Prefix(), s.Partition()
	// The grammars of scope guarantee it. If they ever allow more, Policy fails instead
	// of returning a wide policy.
	if !isPlain(prefix) || !strings.HasSuffix(prefix, "/") || !isPlain(partition) {
		return nil, invalidf("scope %.80q: must not have a character with a meaning in IAM", prefix)
	}
	tracker, approver := stringList{"dynamodb:GetItem", "dynamodb:Query"}, stringList{"dynamodb:GetItem", "dynamodb:Query"}
	if s.RequireWrite() == nil {
		tracker = append(tracker, "dynamodb:PutItem", "dynamodb:DeleteItem")
		approver = append(approver, "dynamodb:PutItem")
	} else {
		p &^= writers
	}
	all := append(r.denyGuards(), r.allowUploads(p, prefix)...)
	if p&Agent != 0 {
		all = append(all, r.allowReads(prefix)...)
	}
	if p&Writer != 0 {
		all = append(all, allow(r.objectARN(r.Raw, prefix), nil, "s3:PutObject", "s3:DeleteObject"))
	}
	if p&Cleaner != 0 {
		all = append(all, allow(r.objectARN(r.Landing, prefix), nil, "s3:DeleteObject", "s3:DeleteObjectVersion"))
	}
	if p&Tracker != 0 {
		all = append(all, allow(r.tableARN(r.Table), requireLeadingKeys(partition), tracker...))
	}
	if p&Listing != 0 {
		list, err := r.allowQueries(s, r.Table, r.Classes)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	if p&Approver != 0 {
		all = append(all, allow(r.tableARN(r.Approvals), requireLeadingKeys(partition), approver...))
		if s.Level() != scope.SessionLevel && len(r.Indexes) > 0 {
			list, err := r.allowQueries(s, r.Approvals, []string{approvals})
			if err != nil {
				return nil, err
			}
			all = append(all, list)
		}
	}
	return all, nil
}

// denyGuards denies resources of another account, such as a bucket that was deleted
// and whose name was taken, and requests without TLS. A request without these keys is
// denied as well.
func (r Resources) denyGuards() []statement {
	return []statement{
		{Effect: "Deny", Action: stringList{"*"}, Resource: stringList{"*"},
			Condition: conditions{"StringNotEquals": {"aws:ResourceAccount": {r.Account}}}},
		{Effect: "Deny", Action: stringList{"*"}, Resource: stringList{"*"},
			Condition: conditions{"BoolIfExists": {"aws:SecureTransport": {"false"}}}},
	}
}

// allowUploads allows signers to write. A request that creates an object (a PUT, a
// Complete, a copy) must have If-None-Match, whose only value is "*". Requests that
// create a multipart upload or send a part can't have it. See
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html.
func (r Resources) allowUploads(p Purpose, prefix string) []statement {
	objects := r.objectARN(r.Landing, prefix)
	// IfExists: only presigned requests have the key. Requests signed in headers are
	// valid for 15 minutes anyway.
	age := map[string]stringList{"s3:signatureAge": {strconv.FormatInt(int64(r.SignatureAge/time.Millisecond), 10)}}
	var all []statement
	if p&Signer != 0 {
		all = append(all,
			allow(objects, conditions{"Null": {"s3:if-none-match": {"false"}}, "NumericLessThanEqualsIfExists": age},
				"s3:PutObject"),
			allow(objects, conditions{"Bool": {"s3:ObjectCreationOperation": {"false"}}, "NumericLessThanEqualsIfExists": age},
				"s3:PutObject"),
			allow(objects, nil, "s3:AbortMultipartUpload"))
	}
	if p&FormSigner != 0 {
		all = append(all, allow(objects, conditions{"NumericLessThanEqualsIfExists": age}, "s3:PutObject"))
	}
	return all
}

func (r Resources) allowReads(prefix string) []statement {
	get := statement{Effect: "Allow", Action: stringList{"s3:GetObject", "s3:GetObjectVersion"}}
	list := statement{Effect: "Allow", Action: stringList{"s3:ListBucket"},
		Condition: conditions{"StringLike": {"s3:prefix": {prefix + "*"}}}}
	for _, bucket := range []string{r.Landing, r.Raw} {
		if bucket != "" {
			get.Resource = append(get.Resource, r.objectARN(bucket, prefix))
			list.Resource = append(list.Resource, r.bucketARN(bucket))
		}
	}
	return []statement{get, list}
}

// allowQueries allows queries of a table's indexes in the scope's own partitions of
// the classes.
func (r Resources) allowQueries(s scope.Scope, table string, classes []string) (statement, error) {
	var partitions stringList
	for _, class := range classes {
		index, err := s.Index(s.Level(), class)
		if err != nil {
			return statement{}, err
		}
		if !isPlain(index) {
			return statement{}, invalidf("class %.80q: must not have a character with a meaning in IAM", class)
		}
		partitions = append(partitions, index)
	}
	return statement{Effect: "Allow", Action: stringList{"dynamodb:Query"}, Resource: r.indexARNs(table),
		Condition: requireLeadingKeys(partitions...)}, nil
}

func allow(resource string, c conditions, actions ...string) statement {
	return statement{Effect: "Allow", Action: actions, Resource: stringList{resource}, Condition: c}
}

// requireLeadingKeys limits a request to these partition keys and requires one.
func requireLeadingKeys(partitions ...string) conditions {
	return conditions{
		"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": partitions},
		"Null":                      {"dynamodb:LeadingKeys": {"false"}},
	}
}

// isPlain reports whether s consists of characters that are literal in IAM and JSON.
func isPlain(s string) bool {
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
