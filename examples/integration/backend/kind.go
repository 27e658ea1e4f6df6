package backend

import (
	"fmt"
	"slices"
)

// Variable is the environment variable that names a [Kind].
const Variable = "CARREL_BACKEND"

// Kind is a kind of servers, a value of CARREL_BACKEND.
type Kind string

// The kinds. Endpoints are read from AWS_ENDPOINT_URL_DYNAMODB and
// AWS_ENDPOINT_URL_S3, or from AWS_ENDPOINT_URL for both. By default they are
// those of the scripts in ../backends.
const (
	Embedded   Kind = "embedded"   // the default: S3 in the process, no DynamoDB
	Dynoxide   Kind = "dynoxide"   // DynamoDB alone
	Moto       Kind = "moto"       // both
	LocalStack Kind = "localstack" // both; in a container, unless a variable names an endpoint
	Endpoint   Kind = "endpoint"   // the variables' endpoints, with the environment's credentials and region
)

func parseKind(s string) (Kind, error) {
	if s == "" {
		return Embedded, nil
	}
	kinds := []Kind{Embedded, Dynoxide, Moto, LocalStack, Endpoint}
	if !slices.Contains(kinds, Kind(s)) {
		return "", fmt.Errorf("backend: %s: invalid kind %q: must be one of %s", Variable, s, kinds)
	}
	return Kind(s), nil
}

// defaultEndpoints returns the default endpoints of the kind's servers, or "" for
// servers that it does not include.
func (k Kind) defaultEndpoints() (dynamoDB, s3 string) {
	switch k {
	case Dynoxide:
		return "http://127.0.0.1:8000", ""
	case Moto:
		return "http://127.0.0.1:5000", "http://127.0.0.1:5000"
	}
	return "", ""
}
