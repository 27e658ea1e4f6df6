package integration_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
)

// createStack creates a stack from a template in deploy and returns its outputs.
func createStack(t *testing.T, template, name string, parameters map[string]string) map[string]string {
	t.Helper()
	body, err := os.ReadFile("../../deploy/" + template)
	require.NoError(t, err)
	form := url.Values{
		"Action": {"CreateStack"}, "StackName": {name}, "TemplateBody": {string(body)},
		"Capabilities.member.1": {"CAPABILITY_NAMED_IAM"},
	}
	n := 0
	for key, value := range parameters {
		n++
		member := "Parameters.member." + string(rune('0'+n))
		form.Set(member+".ParameterKey", key)
		form.Set(member+".ParameterValue", value)
	}
	cloudFormation(t, form)
	var status string
	require.Eventually(t, func() bool {
		status = cloudFormation(t, url.Values{"Action": {"DescribeStacks"}, "StackName": {name}})
		return !strings.Contains(status, "CREATE_IN_PROGRESS")
	}, 2*time.Minute, 200*time.Millisecond)
	require.Contains(t, status, "<StackStatus>CREATE_COMPLETE</StackStatus>")
	outputs := map[string]string{}
	for _, m := range regexp.MustCompile(`<OutputKey>(.*?)</OutputKey>\s*<OutputValue>(.*?)</OutputValue>`).FindAllStringSubmatch(status, -1) {
		outputs[m[1]] = m[2]
	}
	return outputs
}

// An upload to the bookshelf succeeds on the resources of the templates.
func TestTemplatesMakeWhatTheBookshelfNeeds(t *testing.T) {
	needLocalStack(t)
	const origin = "https://books.example.com"
	name := "shelf" + strings.ToLower(rand.Text()[:8])
	storage := createStack(t, "storage.yaml", name, map[string]string{"Name": name, "PageOrigin": origin})
	t.Cleanup(func() { // the template keeps the table when the stack is deleted
		_, _ = servers.DynamoDB.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name})
	})
	roles := createStack(t, "roles.yaml", name+"-roles", map[string]string{
		"Name": name, "ModelArns": "arn:aws:bedrock:us-east-1::foundation-model/any",
	})
	require.Contains(t, roles["ScopeRole"], ":role/"+name+"-scope")

	landing := storage["LandingBucket"]
	rule, err := presign.CORS(origin)
	require.NoError(t, err)
	cors, err := servers.S3.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: &landing})
	require.NoError(t, err)
	require.Equal(t, []s3types.CORSRule{rule}, cors.CORSRules)

	s := newShelf(t)
	env := append(s.buildEnv(), "AWS_ENDPOINT_URL="+*servers.S3.Options().BaseEndpoint, "AWS_EC2_METADATA_DISABLED=true")
	s.runOn(env, "-aws", "-model", "any-model", "-landing", landing, "-raw", storage["RawBucket"],
		"-table", storage["TableName"], "-events-queue", storage["ArrivalsQueue"], "-events-wait", "1s", "-sweep", "1h")
	session, _, put := s.requestGrant("cover.png")
	require.Equal(t, http.StatusOK, put())
	waitUntil(t, "the upload is recorded", func() bool {
		stage, _ := s.uploadStage(session)
		return stage["status"] == "success"
	})
}
