package credential

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/carrel-go/carrel/internal/awsname"
)

const defaultSignatureAge = time.Hour

// Resources names the buckets and tables of a policy. A resource that a [Purpose]
// does not need may be empty. Every other value must be well formed, since * and ?
// have a meaning in ARNs.
type Resources struct {
	Partition string // of ARNs. Default: "aws"; also "aws-cn", "aws-us-gov", …
	Region    string // of the tables, such as "eu-central-1"; for Tracker, Listing and Approver

	// Account owns the buckets and the tables: 12 digits, required. Requests for
	// resources of another account are denied. Default of a [Vendor]: the account of
	// its role.
	Account string

	Landing string // the bucket of uploads; for Signer, FormSigner and Cleaner, and for Agent if it is set
	Raw     string // the bucket of results; for Writer, and for Agent if it is set
	Table   string // for Tracker and Listing

	// Approvals is the table of tools/approval, for Approver. It must differ from
	// Table: IAM checks partition keys only, so a Tracker could decide the approvals
	// in its partition.
	Approvals string

	// Indexes are the tables' indexes that Listing and Approver may query, by the names
	// of dynamo.IndexName.
	Indexes []string

	// Classes are the classes of items that Listing may query there; see
	// [scope.Scope.Index]. The records of package tracking have the classes "active",
	// "waiting", "failed" and "success".
	Classes []string

	// SignatureAge is the maximum age of a request signed by a Signer when it reaches
	// S3, 1 s to 12 h in whole seconds. It also limits grants with a longer expiry.
	// Default: 1 hour.
	SignatureAge time.Duration
}

// The grammars allow nothing that IAM expands (*, ?, ${…}) and nothing that
// JSON escapes.
var (
	partitionGrammar = regexp.MustCompile(`^aws(-[a-z]+)*$`)
	regionGrammar    = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$`)
	tableGrammar     = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`) // of tables and indexes alike
	roleGrammar      = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):iam::([0-9]{12}):role/[\w+=,.@/-]{1,576}$`)
)

// withDefaults returns r with its defaults, or an error for a malformed value.
func (r Resources) withDefaults() (Resources, error) {
	if r.Partition == "" {
		r.Partition = "aws"
	}
	if r.SignatureAge == 0 {
		r.SignatureAge = defaultSignatureAge
	}
	for _, f := range [...]struct {
		name, value string
		grammar     *regexp.Regexp
	}{
		{"partition", r.Partition, partitionGrammar},
		{"region", r.Region, regionGrammar},
		{"table", r.Table, tableGrammar},
		{"table of approvals", r.Approvals, tableGrammar},
	} {
		if f.value != "" && !f.grammar.MatchString(f.value) {
			return r, invalidf("%s %.80q: must match %s", f.name, f.value, f.grammar)
		}
	}
	if r.Account != "" {
		if err := awsname.CheckAccount(r.Account); err != nil {
			return r, invalidf("%w", err)
		}
	}
	for _, bucket := range []string{r.Landing, r.Raw} {
		if bucket == "" {
			continue
		}
		if err := awsname.CheckBucket(bucket); err != nil {
			return r, invalidf("%w", err)
		}
	}
	if r.Approvals != "" && r.Approvals == r.Table {
		return r, invalidf("table of approvals %q: must differ from the table of trackers", r.Table)
	}
	for _, name := range r.Indexes {
		if !tableGrammar.MatchString(name) {
			return r, invalidf("index %.80q: must match %s", name, tableGrammar)
		}
	}
	if r.SignatureAge < time.Second || r.SignatureAge > maxDuration || r.SignatureAge%time.Second != 0 {
		return r, invalidf("signature age %v: must be whole seconds from 1s to %v", r.SignatureAge, maxDuration)
	}
	r.Indexes, r.Classes = slices.Clone(r.Indexes), slices.Clone(r.Classes)
	return r, nil
}

// checkNeeds returns an error that names the missing resources of p.
func (r Resources) checkNeeds(p Purpose) error {
	var missing []string
	need := func(wanted Purpose, ok bool, what string) {
		if p&wanted != 0 && !ok {
			missing = append(missing, what)
		}
	}
	need(allPurposes, r.Account != "", "the account")
	need(Signer|FormSigner|Cleaner, r.Landing != "", "the landing bucket")
	need(Agent, r.Landing != "" || r.Raw != "", "a bucket")
	need(Writer, r.Raw != "", "the raw bucket")
	need(Tracker|Listing, r.Table != "", "the table")
	need(Approver, r.Approvals != "", "the table of approvals")
	need(Tracker|Listing|Approver, r.Region != "", "the region")
	need(Listing, len(r.Indexes) > 0, "the indexes")
	need(Listing, len(r.Classes) > 0, "the classes")
	if len(missing) > 0 {
		return invalidf("resources: a %s needs %s", p, strings.Join(missing, ", "))
	}
	return nil
}

func (r Resources) objectARN(bucket, prefix string) string {
	return "arn:" + r.Partition + ":s3:::" + bucket + "/" + prefix + "*"
}

func (r Resources) bucketARN(name string) string { return "arn:" + r.Partition + ":s3:::" + name }

func (r Resources) tableARN(name string) string {
	return "arn:" + r.Partition + ":dynamodb:" + r.Region + ":" + r.Account + ":table/" + name
}

func (r Resources) indexARNs(table string) stringList {
	var all stringList
	for _, name := range r.Indexes {
		all = append(all, r.tableARN(table)+"/index/"+name)
	}
	return all
}
