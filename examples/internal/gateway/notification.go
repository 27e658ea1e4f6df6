package gateway

import (
	"encoding/json"
	"net/url"

	"github.com/versity/versitygw/s3event"
)

// asS3Writes returns the server's notification in the form that S3 gives them. They differ in one thing: S3 encodes an
// object's key as in a query, "a b+é" is "a+b%2B%C3%A9"; the server writes it as it is, so that whoever decodes it
// would find another key, or none. It returns nil for what reports no object, as the test at the start.
func asS3Writes(raw []byte) ([]byte, error) {
	var n s3event.EventSchema
	if err := json.Unmarshal(raw, &n); err != nil || len(n.Records) == 0 {
		return nil, err
	}
	for i := range n.Records {
		o := &n.Records[i].S3.Object
		o.Key = url.QueryEscape(o.Key)
	}
	return json.Marshal(n)
}
