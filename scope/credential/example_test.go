package credential_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

func ExamplePolicy() {
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	policy, err := credential.Policy(user, credential.Tracker, credential.Resources{
		Account: "123456789012", Region: "eu-central-1", Table: "carrel",
	})
	fmt.Println(strings.NewReplacer(`"Condition"`, "\n\"Condition\"", `"Resource"`, "\n\"Resource\"").Replace(policy), err)
	// Output:
	// {"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*",
	// "Resource":"*",
	// "Condition":{"StringNotEquals":{"aws:ResourceAccount":"123456789012"}}},{"Effect":"Deny","Action":"*",
	// "Resource":"*",
	// "Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}},{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query","dynamodb:PutItem","dynamodb:DeleteItem"],
	// "Resource":"arn:aws:dynamodb:eu-central-1:123456789012:table/carrel",
	// "Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"t#acme#u#u1"},"Null":{"dynamodb:LeadingKeys":"false"}}}]} <nil>
}

func ExampleSessionName() {
	tenant, _ := scope.Tenant("acme")
	shared, _ := tenant.Shared()
	fmt.Println(credential.SessionName(shared, credential.Agent|credential.Writer))
	// Output: agent+writer@6OwtjSkrvstlaQMYL3LaNw
}

// A client of S3 for each scope: what its driver opens, the scope's own
// credentials sign.
func ExampleVendor_Provider() {
	r := credential.Resources{Landing: "carrel-landing", Raw: "carrel-raw"}
	vendor, err := credential.New(stsClient{}, "arn:aws:iam::123456789012:role/carrel-tenant", r, nil)
	if err != nil {
		panic(err)
	}
	base := s3.New(s3.Options{Region: "eu-central-1"})
	bucket, err := s3object.Open(nil, "carrel-raw", &s3object.Options{
		For: func(_ context.Context, s scope.Scope) (s3object.Client, error) {
			o := base.Options()
			o.Credentials = vendor.Provider(s, credential.Agent|credential.Writer)
			o.ExpressCredentials = nil // s3.New sets the client and its credentials in the provider, which base would share
			return s3.New(o), nil
		},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(bucket.Name())
	// Output: carrel-raw
}

func ExampleNew() {
	r := credential.Resources{Landing: "carrel-landing"}
	vendor, err := credential.New(stsClient{}, "arn:aws:iam::123456789012:role/carrel-tenant", r, nil)
	if err != nil {
		panic(err)
	}
	tenant, _ := scope.Tenant("acme")
	c, err := vendor.Retrieve(context.Background(), tenant, credential.Agent)
	fmt.Println(c.AccessKeyID, time.Until(c.Expires).Round(time.Minute), err)
	// Output: ASIAEXAMPLE 1h0m0s <nil>
}

// stsClient stands for *sts.Client.
type stsClient struct{}

func (stsClient) AssumeRole(_ context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return &sts.AssumeRoleOutput{Credentials: &types.Credentials{
		AccessKeyId: aws.String("ASIAEXAMPLE"), SecretAccessKey: aws.String("secret"), SessionToken: aws.String("token"),
		Expiration: aws.Time(time.Now().Add(time.Duration(*in.DurationSeconds) * time.Second)),
	}}, nil
}
