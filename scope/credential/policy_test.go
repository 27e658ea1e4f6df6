package credential_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	sessionID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	roleARN   = "arn:aws:iam::123456789012:role/carrel-tenant"
)

var purposes = []credential.Purpose{
	credential.Signer, credential.FormSigner, credential.Agent, credential.Writer, credential.Cleaner,
	credential.Tracker, credential.Listing, credential.Approver,
}

func resources() credential.Resources {
	return credential.Resources{
		Account: "123456789012", Region: "eu-central-1",
		Landing: "carrel-landing", Raw: "carrel-raw", Table: "carrel", Approvals: "carrel-approvals",
		Indexes: []string{"first", "second"}, Classes: []string{"active", "waiting", "failed", "success"},
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// levels are a scope of each level of one tenant, widest first.
func levels(tenant, user string) []scope.Scope {
	t := must(scope.Tenant(tenant))
	u := must(t.User(user))
	return []scope.Scope{t, must(t.Shared()), u, must(u.Session(sessionID))}
}

func session() scope.Scope { return levels("acme", "u1")[3] }

// The goldens are all policies that there are, to be read by a person: a file a
// level, a section a purpose.
func TestPoliciesMatchTheirGoldens(t *testing.T) {
	t.Parallel()
	for _, s := range levels("acme", "u1") {
		var got bytes.Buffer
		for _, p := range append(purposes, credential.Agent|credential.Writer, credential.Tracker|credential.Listing) {
			text, err := credential.Policy(s, p, resources())
			if err != nil {
				require.ErrorIs(t, err, scope.ErrLevel)
				fmt.Fprintf(&got, "-- %s --\n%v\n", p, err)
				continue
			}
			fmt.Fprintf(&got, "-- %s, %d characters --\n", p, len(text))
			require.NoError(t, json.Indent(&got, []byte(text), "", "  "))
			got.WriteByte('\n')
		}
		golden := filepath.Join("testdata", s.Level().String()+".golden")
		if *update {
			require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), got.String())
	}
}

type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource texts
	Condition        map[string]map[string]texts
}

// guards are the first two statements of every policy.
var guards = []statement{
	{"Deny", texts{"*"}, texts{"*"}, map[string]map[string]texts{"StringNotEquals": {"aws:ResourceAccount": {"123456789012"}}}},
	{"Deny", texts{"*"}, texts{"*"}, map[string]map[string]texts{"BoolIfExists": {"aws:SecureTransport": {"false"}}}},
}

// texts reads a string or an array of them, as IAM does.
type texts []string

func (l *texts) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		*l = texts{""}
		return json.Unmarshal(raw, &(*l)[0])
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// Each policy denies other accounts and requests without TLS. Its actions are
// spelled out and never scans. It holds S3 below the scope's prefix and DynamoDB
// to partitions of the scope, and a request without a partition does not satisfy
// it.
func TestPolicyReachesItsScopeOnly(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	r, built := resources(), 0
	for range 3000 {
		s := levels(randomID(rnd), randomID(rnd))[rnd.IntN(4)]
		p := credential.Purpose(1 + rnd.IntN(255))
		text, err := credential.Policy(s, p, r)
		if err != nil {
			require.True(t, errors.Is(err, scope.ErrLevel) || errors.Is(err, credential.ErrTooLong), "%v", err)
			continue
		}
		built++
		require.LessOrEqual(t, len(text), credential.MaxPolicy)
		require.NotContains(t, text, "${")
		require.NotContains(t, text, `\`, "nothing is escaped, because nothing has to be")
		var doc document
		require.NoError(t, json.Unmarshal([]byte(text), &doc))
		require.Equal(t, "2012-10-17", doc.Version)
		require.Equal(t, guards, doc.Statement[:2])
		for _, st := range doc.Statement[2:] {
			require.Equal(t, "Allow", st.Effect)
			require.NotEmpty(t, st.Action)
			require.NotEmpty(t, st.Resource)
			for _, action := range st.Action {
				require.NotContains(t, action, "*")
				require.NotContains(t, action, "Scan")
				service, _, _ := strings.Cut(action, ":")
				for _, resource := range st.Resource {
					require.True(t, strings.HasPrefix(resource, "arn:aws:"+service+":"), "%s on %s", action, resource)
				}
				switch {
				case service == "dynamodb":
					requireKeys(t, s, st.Condition, action, st.Resource)
				case action == "s3:ListBucket":
					require.Equal(t, map[string]map[string]texts{"StringLike": {"s3:prefix": {s.Prefix() + "*"}}}, st.Condition)
					require.Subset(t, []string{"arn:aws:s3:::carrel-landing", "arn:aws:s3:::carrel-raw"}, st.Resource)
				default:
					for _, resource := range st.Resource {
						require.True(t, strings.HasSuffix(resource, "/"+s.Prefix()+"*"), resource)
						require.Equal(t, 1, strings.Count(resource, "*"))
					}
				}
			}
		}
	}
	require.Greater(t, built, 500)
}

func requireKeys(t *testing.T, s scope.Scope, condition map[string]map[string]texts, action string, resources texts) {
	t.Helper()
	require.Equal(t, texts{"false"}, condition["Null"]["dynamodb:LeadingKeys"])
	keys := condition["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
	require.NotEmpty(t, keys)
	for _, resource := range resources {
		require.NotContains(t, resource, "*")
		if strings.Contains(resource, "/index/") {
			require.Equal(t, "dynamodb:Query", action)
			for _, key := range keys {
				require.True(t, strings.HasPrefix(key, s.Partition()+"#i#"), key)
			}
			continue
		}
		require.Equal(t, texts{s.Partition()}, keys)
	}
}

// A signer creates an object only by a request with If-None-Match: by PUT, by
// Complete, by a copy. Only what begins or sends parts is free of it.
func TestSignerWritesOnce(t *testing.T) {
	t.Parallel()
	for _, p := range []credential.Purpose{credential.Signer, credential.Signer | credential.Agent | credential.Tracker} {
		var doc document
		require.NoError(t, json.Unmarshal([]byte(must(credential.Policy(session(), p, resources()))), &doc))
		puts := 0
		for _, st := range doc.Statement {
			if !slices.Contains(st.Action, "s3:PutObject") {
				continue
			}
			puts++
			once := st.Condition["Null"]["s3:if-none-match"]
			part := st.Condition["Bool"]["s3:ObjectCreationOperation"]
			require.NotEqual(t, slices.Equal(once, texts{"false"}), slices.Equal(part, texts{"false"}), "%v", st)
			require.Equal(t, texts{"3600000"}, st.Condition["NumericLessThanEqualsIfExists"]["s3:signatureAge"])
		}
		require.Equal(t, 2, puts)
	}
}

// Only an Approver can access the table of approvals, and it can access only that.
func TestTrackersCannotAccessApprovals(t *testing.T) {
	t.Parallel()
	for _, s := range levels("acme", "u1") {
		for _, p := range purposes {
			text, err := credential.Policy(s, p, resources())
			if err != nil {
				continue
			}
			require.Equal(t, p == credential.Approver, strings.Contains(text, "table/carrel-approvals"), "%s of a %s", p, s.Level())
			if p == credential.Approver {
				require.NotContains(t, text, `table/carrel"`)
				require.NotContains(t, text, "table/carrel/")
				require.NotContains(t, text, "DeleteItem", "a decision is for good")
			}
		}
	}
}

// A Vendor knows the account from its role.
func TestAccountDefaultsToThatOfTheRole(t *testing.T) {
	t.Parallel()
	r := resources()
	r.Account = ""
	sts := &service{}
	v, err := credential.New(sts, roleARN, r, nil)
	require.NoError(t, err)
	c, err := v.Retrieve(t.Context(), session(), credential.Agent)
	require.NoError(t, err)
	require.Equal(t, must(credential.Policy(session(), credential.Agent, resources())), c.SessionToken)
}

func randomID(r *rand.Rand) string {
	words := []string{"a", "ab", "shared", "uploads", "user", "a-b", "A", "x_y", strings.Repeat("z", 64)}
	return words[r.IntN(len(words))]
}

// Two scopes never share a policy, and neither do two purposes.
func TestPoliciesDifferByScopeAndPurpose(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, tenant := range []string{"a", "ab", "A"} {
		for _, user := range []string{"a", "b"} {
			for _, s := range levels(tenant, user)[2:] {
				for _, p := range purposes {
					text, err := credential.Policy(s, p, resources())
					if err != nil {
						continue
					}
					who := s.String() + " " + p.String()
					require.NotContains(t, seen, text, who)
					seen[text] = who
				}
			}
		}
	}
	require.Len(t, seen, 3*2*(6+7), "a user has neither signer, a session no listing")
}

func TestPolicyRejectsInvalidArguments(t *testing.T) {
	t.Parallel()
	s, user := session(), levels("acme", "u1")[2]
	for name, c := range map[string]struct {
		s    scope.Scope
		p    credential.Purpose
		with func(*credential.Resources)
		want error
	}{
		"the zero scope":             {scope.Scope{}, credential.Agent, nil, scope.ErrDenied},
		"no purpose":                 {s, 0, nil, credential.ErrInvalid},
		"a signer of a user":         {user, credential.Signer, nil, scope.ErrLevel},
		"forms of a user":            {user, credential.FormSigner, nil, scope.ErrLevel},
		"a listing of a session":     {s, credential.Listing, nil, scope.ErrLevel},
		"a session lists and tracks": {s, credential.Tracker | credential.Listing, nil, scope.ErrLevel},

		"no landing bucket": {s, credential.Signer, func(r *credential.Resources) { r.Landing = "" }, credential.ErrInvalid},
		"no bucket":         {s, credential.Agent, func(r *credential.Resources) { r.Landing, r.Raw = "", "" }, credential.ErrInvalid},
		"no raw bucket":     {s, credential.Writer, func(r *credential.Resources) { r.Raw = "" }, credential.ErrInvalid},
		"no table":          {s, credential.Tracker, func(r *credential.Resources) { r.Table = "" }, credential.ErrInvalid},
		"no account":        {s, credential.Tracker, func(r *credential.Resources) { r.Account = "" }, credential.ErrInvalid},
		"no owner":          {s, credential.Agent, func(r *credential.Resources) { r.Account = "" }, credential.ErrInvalid},
		"no bucket to tidy": {s, credential.Cleaner, func(r *credential.Resources) { r.Landing = "" }, credential.ErrInvalid},
		"no approvals":      {s, credential.Approver, func(r *credential.Resources) { r.Approvals = "" }, credential.ErrInvalid},
		"a shared table":    {s, credential.Approver, func(r *credential.Resources) { r.Approvals = r.Table }, credential.ErrInvalid},
		"shared, tracker":   {s, credential.Tracker, func(r *credential.Resources) { r.Approvals = r.Table }, credential.ErrInvalid},
		"any approvals":     {s, credential.Approver, func(r *credential.Resources) { r.Approvals = "*" }, credential.ErrInvalid},
		"no region":         {s, credential.Tracker, func(r *credential.Resources) { r.Region = "" }, credential.ErrInvalid},
		"no index":          {user, credential.Listing, func(r *credential.Resources) { r.Indexes = nil }, credential.ErrInvalid},
		"no class":          {user, credential.Listing, func(r *credential.Resources) { r.Classes = nil }, credential.ErrInvalid},

		"any class":         {user, credential.Listing, func(r *credential.Resources) { r.Classes = []string{"*"} }, scope.ErrInvalid},
		"any index":         {user, credential.Listing, func(r *credential.Resources) { r.Indexes = []string{"*"} }, credential.ErrInvalid},
		"any account":       {s, credential.Tracker, func(r *credential.Resources) { r.Account = "*" }, credential.ErrInvalid},
		"a short account":   {s, credential.Tracker, func(r *credential.Resources) { r.Account = "12345" }, credential.ErrInvalid},
		"any region":        {s, credential.Tracker, func(r *credential.Resources) { r.Region = "eu-*-1" }, credential.ErrInvalid},
		"another resource":  {s, credential.Tracker, func(r *credential.Resources) { r.Table = "carrel/index/first" }, credential.ErrInvalid},
		"a table pattern":   {s, credential.Tracker, func(r *credential.Resources) { r.Table = "carrel*" }, credential.ErrInvalid},
		"a variable":        {s, credential.Agent, func(r *credential.Resources) { r.Raw = "${aws:username}" }, credential.ErrInvalid},
		"a bucket ARN":      {s, credential.Agent, func(r *credential.Resources) { r.Raw = "arn:aws:s3:::carrel-raw" }, credential.ErrInvalid},
		"a bucket and more": {s, credential.Agent, func(r *credential.Resources) { r.Raw = "carrel-raw/x" }, credential.ErrInvalid},
		"a quote":           {s, credential.Agent, func(r *credential.Resources) { r.Landing = `a","b` }, credential.ErrInvalid},
		"a line's end":      {s, credential.Agent, func(r *credential.Resources) { r.Landing = "carrel-landing\n" }, credential.ErrInvalid},
		"another partition": {s, credential.Agent, func(r *credential.Resources) { r.Partition = "*" }, credential.ErrInvalid},
		"no age":            {s, credential.Signer, func(r *credential.Resources) { r.SignatureAge = time.Millisecond }, credential.ErrInvalid},
		"a negative age":    {s, credential.Signer, func(r *credential.Resources) { r.SignatureAge = -time.Hour }, credential.ErrInvalid},
		"a week's age":      {s, credential.Signer, func(r *credential.Resources) { r.SignatureAge = 7 * 24 * time.Hour }, credential.ErrInvalid},

		// A malformed resource is rejected even if the purpose does not need it.
		"malformed and not needed": {s, credential.Tracker, func(r *credential.Resources) { r.Raw = "*" }, credential.ErrInvalid},
	} {
		r := resources()
		if c.with != nil {
			c.with(&r)
		}
		text, err := credential.Policy(c.s, c.p, r)
		require.ErrorIs(t, err, c.want, name)
		require.Empty(t, text, name)
	}
}

// The longest names that there are: each purpose has its policy, and where
// several together are too much the error says so.
func TestLongPoliciesAreRejected(t *testing.T) {
	t.Parallel()
	r := resources()
	r.Partition, r.Region = "aws-us-gov", "ap-southeast-12"
	r.Landing, r.Raw, r.Table = strings.Repeat("l", 63), strings.Repeat("r", 63), strings.Repeat("t", 255)
	r.Approvals = strings.Repeat("a", 255)
	long := strings.Repeat("x", 64)
	for _, s := range levels(long, long) {
		for _, p := range purposes {
			text, err := credential.Policy(s, p, r)
			if err != nil {
				require.ErrorIs(t, err, scope.ErrLevel)
				continue
			}
			require.Less(t, len(text), credential.MaxPolicy, "%s of a %s", p, s.Level())
		}
	}
	_, err := credential.Policy(levels(long, long)[3], credential.Signer|credential.Agent|credential.Writer|credential.Tracker, r)
	require.ErrorIs(t, err, credential.ErrTooLong)

	r = resources() // ordinary names have room
	for range 40 {
		r.Classes = append(r.Classes, long)
	}
	_, err = credential.Policy(levels("acme", "u1")[2], credential.Listing, r)
	require.ErrorIs(t, err, credential.ErrTooLong)
	text, err := credential.Policy(session(), credential.Signer|credential.Agent|credential.Writer|credential.Tracker, resources())
	require.NoError(t, err)
	require.Less(t, len(text), credential.MaxPolicy)
}
