package s3object

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/carrel-go/carrel/scope/object"
)

// makeSeekable returns body as a reader that the SDK can hash, send and send
// again, and its length from the current position. want is the stated length, or
// 0.
func makeSeekable(body io.Reader, spool, want int64) (io.ReadSeeker, int64, error) {
	rs, ok := body.(io.ReadSeeker)
	if !ok {
		data, err := io.ReadAll(io.LimitReader(body, spool+1))
		if err != nil {
			return nil, 0, fmt.Errorf("s3object: read the body: %w", err)
		}
		if int64(len(data)) > spool {
			return nil, 0, fmt.Errorf("s3object: %w: a body that is not an io.Seeker must have at most %d bytes",
				object.ErrTooLarge, spool)
		}
		rs = bytes.NewReader(data)
	}
	size, err := remainingLength(rs)
	if err != nil {
		return nil, 0, fmt.Errorf("s3object: measure the body: %w", err)
	}
	if want > 0 && size != want {
		return nil, 0, object.ErrSize
	}
	return rs, size, nil
}

func remainingLength(s io.Seeker) (int64, error) {
	here, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	_, err = s.Seek(here, io.SeekStart)
	return end - here, err
}

// parseSHA256 decodes x-amz-checksum-sha256. It returns nil without one, and for
// that of a multipart upload ("<base64>-<parts>"), which is not the SHA-256 of the
// object.
func parseSHA256(header *string) []byte {
	sum, err := base64.StdEncoding.DecodeString(aws.ToString(header))
	if err != nil || len(sum) != 32 {
		return nil
	}
	return sum
}
