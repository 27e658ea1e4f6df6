package backend

import (
	"fmt"
	"slices"
)

// Variable is the environment variable that names a [Kind].
const Variable = "CARREL_BACKEND"

// Kind is a value of CARREL_BACKEND.
type Kind string

// The kinds. Those with a server are called at AWS_ENDPOINT_URL_DYNAMODB and
// AWS_ENDPOINT_URL_S3, or AWS_ENDPOINT_URL for both, or where their script
// starts them.
const (
	Embedded   Kind = "embedded"   // the default: S3 in the process, no DynamoDB
	Dynoxide   Kind = "dynoxide"   // DynamoDB alone
	Moto       Kind = "moto"       // both
	LocalStack Kind = "localstack" // both; in a container that is started, unless a variable names one
	Endpoint   Kind = "endpoint"   // whatever the variables name, with the environment's credentials and region
)

func parseKind(s string) (Kind, error) {
	if s == "" {
		return Embedded, nil
	}
	kinds := []Kind{Embedded, Dynoxide, Moto, LocalStack, Endpoint}
	if !slices.Contains(kinds, Kind(s)) {
		return "", fmt.Errorf("backend: %s=%q, want one of %s", Variable, s, kinds)
	}
	return Kind(s), nil
}

// services returns where the kind's servers are, unless a variable says
// otherwise; "" for what it does not have.
func (k Kind) services() (dynamoDB, s3 string) {
	switch k {
	case Dynoxide:
		return "http://127.0.0.1:8000", ""
	case Moto:
		return "http://127.0.0.1:5000", "http://127.0.0.1:5000"
	}
	return "", ""
}
