package agenttest

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
)

func vaultOf(t testing.TB, own ...Redactor) *vault {
	t.Helper()
	v, err := newVault(own)
	require.NoError(t, err)
	return v
}

// Secrets are made of pieces here, so that no scanner takes this file for one that holds some.
const (
	key     = "AKIA" + "IOSFODNN7EXAMPLE"
	tempKey = "ASIA" + "IOSFODNN7EXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"
	session = "IQoJb3JpZ2luX2VjEXAMPLE" + "////////////0123456789abcdefghijklmnopqrstuvwxyzABCDEF=="
	jwt     = "eyJhbGciOiJSUzI1NiJ9" + ".eyJzdWIiOiJyZWFkZXIifQ" + ".c2lnbmF0dXJl"
	sig     = "fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024"
	url     = "https://raw.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + key +
		"%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=300&X-Amz-Security-Token=" + session + "&X-Amz-Signature=" + sig
)

func TestRedaction(t *testing.T) {
	for in, want := range map[string]string{
		"the key " + key + ", again " + key + ", and " + tempKey: "the key [redacted:access-key:1], again [redacted:access-key:1], and [redacted:access-key:2]",
		"aws_secret_access_key = " + secret:                      "aws_secret_access_key = [redacted:secret-key:1]",
		"alone " + secret + " it stands":                         "alone [redacted:secret-key:1] it stands",
		"AWS_SESSION_TOKEN=" + session + ";":                     "AWS_SESSION_TOKEN=[redacted:session-token:1];",
		url: "https://raw.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=[redacted:credential:1]&X-Amz-Expires=300" +
			"&X-Amz-Security-Token=[redacted:session-token:1]&X-Amz-Signature=[redacted:signature:1]",
		"Authorization: AWS4-HMAC-SHA256 Credential=" + key + "/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=" + sig: "Authorization: AWS4-HMAC-SHA256 Credential=[redacted:credential:1], SignedHeaders=host, Signature=[redacted:signature:1]",
		"Bearer " + jwt:                                                              "Bearer [redacted:token:1]",
		"jwt=" + jwt + ".":                                                           "jwt=[redacted:token:1].",
		"Authorization: Bearer abc-opaque":                                           "Authorization: Bearer [redacted:token:1]",
		"authorization: basic dXNlcjpwYXNz":                                          "authorization: basic [redacted:token:1]",
		"bearer 0123456789abcdef0123":                                                "bearer [redacted:token:1]",
		"arn:aws:iam::111122223333:role/reader":                                      "arn:aws:iam::[redacted:account:1]:role/reader",
		"arn:aws:s3:::acme":                                                          "arn:aws:s3:::acme",
		"mail reader.one+x@library.example.org now":                                  "mail [redacted:email:1] now",
		"password=hunter2&next":                                                      "password=[redacted:secret:1]&next",
		`{"SecretAccessKey":"short","n":1}`:                                          `{"SecretAccessKey":"[redacted:secret:1]","n":1}`,
		`{"a":{"password":"hunter2"},"b":"hunter2"}`:                                 `{"a":{"password":"[redacted:secret:1]"},"b":"hunter2"}`,
		`{"SessionToken":"` + session + `"} ` + session:                              `{"SessionToken":"[redacted:session-token:1]"} [redacted:session-token:1]`,
		`{"password":"` + session + `","p":"` + session + `"}`:                       `{"password":"[redacted:session-token:1]","p":"[redacted:session-token:1]"}`,
		`{"password":"mail a@b.example"}`:                                            `{"password":"[redacted:secret:1]"}`,
		`{"url":"http://h/?X-Amz-Signature\u003dab"}`:                                `{"url":"http://h/?X-Amz-Signature=[redacted:signature:1]"}`,
		`{"k":"\u0041KIA` + key[4:] + `"}`:                                           `{"k":"[redacted:access-key:1]"}`,
		`{"k":"` + key:                                                               `{"k":"[redacted:access-key:1]`,
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest": "[redacted:private-key:1]\nrest",

		`{"Authorization":["opaque","` + jwt + `"],"n":["opaque"]}`:                  `{"Authorization":["[redacted:secret:1]","[redacted:token:1]"],"n":["opaque"]}`,
		`{"password":[["a b"],{"x":"a"},"c"],"y":["d"]}`:                             `{"password":[["[redacted:secret:1]"],{"x":"a"},"[redacted:secret:2]"],"y":["d"]}`,
		`{"n":1,"password":"hunter2`:                                                 `{"n":1,"password":"[redacted:secret:1]`,
		`It is {"user":"a","api_key": "k1"}, they say.`:                              `It is {"user":"a","api_key": "[redacted:secret:1]"}, they say.`,
		`{"said":"{\"cookie\":\"sid=1\"`:                                             `{"said":"{\"cookie\":\"[redacted:secret:1]\"`,
		`{"password": 123456, "n": 7}`:                                               `{"password": "[redacted:secret:1]", "n": 7}`,
		`{"Set-Cookie":"sid=1","x-api-key":"k","private_key":"p","Passphrase":null}`: `{"Set-Cookie":"[redacted:secret:1]","x-api-key":"[redacted:secret:2]","private_key":"[redacted:secret:3]","Passphrase":null}`,
		"k=" + strings.ReplaceAll(secret, "/", "%2F") + "&x":                         "k=[redacted:secret-key:1]&x",
		"to=reader.one%40library.example.org&x":                                      "to=[redacted:email:1]&x",

		// Nothing is wrong with these.
		"basic understanding of the bearer certificates": "",
		sig: "",
		"3b18e512dba79e4c8300dd08aeb37f8e728b8dad":                                          "",
		"tenant=acme/user=u1/uploads/0199a1b2-c3d4-7e5f-8a9b-01/cover":                      "",
		`{"isbn":"9780141439518","year":1813}`:                                              "",
		"111122223333 books":                                                                "",
		"[redacted:access-key:7] stays, and so does X-Amz-Signature=[redacted:signature:3]": "",
	} {
		if want == "" {
			want = in
		}
		v := vaultOf(t)
		got := v.text(in)
		require.Equal(t, want, got)
		require.Equal(t, want, v.text(got), "what is safe stays")
	}
}

func TestOwnRedactors(t *testing.T) {
	v := vaultOf(t, Redactor{"shelf", regexp.MustCompile(`shelf (\w+)`)}, Redactor{"day", regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)})
	require.Equal(t, "shelf [redacted:shelf:1] on [redacted:day:1], shelf [redacted:shelf:2] on [redacted:day:1]",
		v.text("shelf A on 2026-01-02, shelf B on 2026-01-02"))

	_, err := newVault([]Redactor{{"Shelf", regexp.MustCompile(`x`)}})
	require.ErrorContains(t, err, `the kind "Shelf"`)
	_, err = newVault([]Redactor{{Kind: "shelf"}})
	require.ErrorContains(t, err, "no pattern")
}

// A secret that comes in pieces is found.
func TestRedactionOfPieces(t *testing.T) {
	v := vaultOf(t)
	got := v.answer([]agent.Delta{
		agent.ReasoningDelta{Text: "use " + key[:9]}, agent.ReasoningDelta{Text: key[9:]},
		agent.ReasoningPart{Reasoning: agent.Reasoning{Text: "use " + key, Signature: "s"}},
		Say("It is "), Say(key[:3]), Say(key[3:7]), agent.UseDelta{ID: "1", Name: "f", Input: `{"k":"` + key[:5]}, Say(key[7:] + "."),
		agent.UseDelta{ID: "1", Input: key[5:] + `"}`}, Call("1", "f", `{"k":"`+key+`"}`), Say("So "), Say("there."), Stop(agent.ToolUseReason),
	})
	b, err := compact(got)
	require.NoError(t, err)
	require.Equal(t, `[{"reasoning_delta":"use [redacted:access-key:1]"},{"reasoning":{"text":"use [redacted:access-key:1]","signature":"s"}},`+
		`{"text":"It is [redacted:access-key:1]."},{"use_delta":{"id":"1","name":"f","input":"{\"k\":\"[redacted:access-key:1]\"}"}},`+
		`{"use":{"id":"1","name":"f","input":{"k":"[redacted:access-key:1]"}}},{"text":"So "},{"text":"there."},{"stop":"tool_use"}]`, string(b))
}

// Whatever the JSON, redaction keeps it valid, takes the key out and finds nothing the second time.
func FuzzRedact(f *testing.F) {
	f.Add(`{"a":["x",{"password":"y"}],"b":null}`, "x")
	f.Add(`["\ud800","\\\"",1e400]`, `"`)
	f.Add(`{"k":"`+url+`"}`, "é")
	f.Add("{\"passwd\":\"\r\"}", "0")
	f.Fuzz(func(t *testing.T, raw, around string) {
		v := vaultOf(t)
		got := v.json([]byte(raw))
		j, _ := v.split([]byte(raw))
		require.Equal(t, json.Valid([]byte(raw)) && utf8.Valid(got), j != nil, "JSON stays JSON, and nothing becomes it")
		if j != nil {
			require.True(t, json.Valid(got))
			require.True(t, json.Valid(j))
		}
		require.Equal(t, string(got), string(v.json(got)))

		text := around + " " + key + " " + around
		got2 := v.text(text)
		require.NotContains(t, got2, key)
		b, err := json.Marshal(map[string]string{"around": text})
		require.NoError(t, err)
		require.NotContains(t, string(v.json(b)), key)
		require.Equal(t, got2, v.text(got2))
	})
}

func TestDiff(t *testing.T) {
	require.Empty(t, strings.ReplaceAll(diff("a\nb\n", "a\nb\n"), "  … 2 lines are the same\n", ""))
	require.Equal(t, "  … 2 lines are the same\n  3\n  4\n  5\n- six\n+ 6\n  7\n  8\n  9\n  … 1 lines are the same\n",
		diff("1\n2\n3\n4\n5\nsix\n7\n8\n9\n10\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"))
	require.Equal(t, "- a\n  b\n- c\n+ x\n  d\n+ e\n", diff("a\nb\nc\nd", "b\nx\nd\ne"))
	long := strings.Repeat("a\n", 5000)
	require.Equal(t, 5002+5001, strings.Count(diff("x\n"+long+"y", "z\n"+strings.Repeat("b\n", 5000)), "\n"), "too long to be matched")
}

func BenchmarkRedact(b *testing.B) {
	b.ReportAllocs()
	text := strings.Repeat("Call me by the name that stands on the cover of the book. ", 20)
	v := vaultOf(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		v.text(text)
	}
}
