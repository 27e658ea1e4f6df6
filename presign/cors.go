package presign

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// CORS returns the rule that a bucket needs so that pages of these origins can
// use grants and forms: their methods and headers, and the ETag of a part, which
// a script must be able to read. Pass it to s3.PutBucketCors.
//
// An origin is a scheme, a host and, unless it is the default, a port, for
// example https://books.example.com. CORS returns ErrInvalid for an empty list and
// for an origin that a browser would not send, for example with a path or a slash
// at its end.
func CORS(origins ...string) (_ types.CORSRule, err error) {
	defer wrapError("CORS", &err)
	if len(origins) == 0 {
		return types.CORSRule{}, invalidf("origins: must not be empty")
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
			strings.ToLower(u.Scheme+"://"+u.Host) != origin {
			return types.CORSRule{}, invalidf("origin %.80q: must be like https://books.example.com", origin)
		}
	}
	return types.CORSRule{
		AllowedOrigins: slices.Clone(origins),
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT"},
		AllowedHeaders: []string{
			"Content-Type", "If-Match", "If-None-Match", "Range", "X-Amz-Checksum-Sha256", "X-Amz-Expected-Bucket-Owner",
		},
		ExposeHeaders: []string{"ETag"},
		MaxAgeSeconds: aws.Int32(3000),
	}, nil
}
