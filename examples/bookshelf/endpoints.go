package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/carrel-go/carrel/examples/internal/privatefile"
	"github.com/carrel-go/carrel/presign/presigntest"
)

// SDK variables whose endpoints replace an embedded part.
const (
	s3Endpoint       = "AWS_ENDPOINT_URL_S3"
	dynamoDBEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"
	bedrockEndpoint  = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
	sqsEndpoint      = "AWS_ENDPOINT_URL_SQS"
)

// keys is a pair of credentials.
type keys struct {
	Access  string `json:"access_key_id"`
	Secret  string `json:"secret_access_key"`
	Session string `json:"-"`
}

// embeddedKeys returns the credentials of the embedded parts. On the first use of a data directory it stores a random
// pair there, so that grants survive a restart. It returns an error if others may read the file, since the pair gives
// access to every tenant's files.
func embeddedKeys(dir string) (keys, error) {
	path := filepath.Join(dir, "credentials.json")
	b, err := privatefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		k := keys{Access: "carrel", Secret: rand.Text() + rand.Text()}
		if b, err = json.Marshal(k); err != nil { //nolint:gosec // it goes into a file that only the user may read
			return keys{}, err
		}
		return k, privatefile.Write(path, b)
	}
	if err != nil {
		return keys{}, err
	}
	var k keys
	if err := json.Unmarshal(b, &k); err != nil || k.Access == "" || k.Secret == "" {
		return keys{}, fmt.Errorf("%s does not contain credentials", path)
	}
	return k, nil
}

// part describes how to call one service, embedded or replaced.
type part struct {
	endpoint string
	region   string
	keys     keys
}

// replaced returns how to call the service whose endpoint this variable names, if it is set. If the environment does
// not have credentials or a region, the embedded ones are used. Instance credentials are never requested.
func replaced(getenv func(string) string, variable string, embedded keys) (part, bool) {
	endpoint := getenv(variable)
	if endpoint == "" {
		return part{}, false
	}
	k := keys{getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")}
	if k.Access == "" || k.Secret == "" {
		k = embedded
	}
	region := cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), presigntest.Region)
	return part{endpoint: endpoint, region: region, keys: k}, true
}

func (p part) config() aws.Config {
	return aws.Config{
		Region:       p.region,
		BaseEndpoint: aws.String(p.endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(p.keys.Access, p.keys.Secret, p.keys.Session),
	}
}

func (p part) s3() *s3.Client {
	return s3.NewFromConfig(p.config(), func(o *s3.Options) { o.UsePathStyle = true })
}

func (p part) dynamodb() *dynamodb.Client { return dynamodb.NewFromConfig(p.config()) }

func (p part) sqs() *sqs.Client { return sqs.NewFromConfig(p.config()) }

func (p part) bedrock() *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(p.config(), keepConnections)
}
