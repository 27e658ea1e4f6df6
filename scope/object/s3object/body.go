package s3object

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/carrel-go/carrel/scope/object"
)

// rewindable returns body as something that the SDK can hash, send and send
// again, and how long it is from where it stands. want is the stated length, 0
// for none.
func rewindable(body io.Reader, spool, want int64) (io.ReadSeeker, int64, error) {
	rs, ok := body.(io.ReadSeeker)
	if !ok {
		data, err := io.ReadAll(io.LimitReader(body, spool+1))
		if err != nil {
			return nil, 0, fmt.Errorf("s3object: read the body: %w", err)
		}
		if int64(len(data)) > spool {
			return nil, 0, fmt.Errorf("%w: a body that can't seek may have at most %d bytes", object.ErrTooLarge, spool)
		}
		rs = bytes.NewReader(data)
	}
	size, err := remaining(rs)
	if err != nil {
		return nil, 0, fmt.Errorf("s3object: measure the body: %w", err)
	}
	if want > 0 && size != want {
		return nil, 0, object.ErrSize
	}
	return rs, size, nil
}

func remaining(s io.Seeker) (int64, error) {
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

// sha256Of decodes x-amz-checksum-sha256; nil where there is none, or where it
// is that of a multipart upload ("<base64>-<parts>"), which is no SHA-256 of
// the object.
func sha256Of(header *string) []byte {
	sum, err := base64.StdEncoding.DecodeString(aws.ToString(header))
	if err != nil || len(sum) != 32 {
		return nil
	}
	return sum
}
