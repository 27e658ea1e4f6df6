package bedrock

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/stretchr/testify/require"

	bt "github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
)

// elsewhere is a service whose clock is ahead of this host's. It rejects a signature that is older than five minutes.
type elsewhere struct {
	ahead    time.Duration
	answer   []byte
	reject   bool // rejects every signature
	requests atomic.Int32
}

func (e *elsewhere) Do(r *http.Request) (*http.Response, error) {
	e.requests.Add(1)
	now := time.Now().Add(e.ahead)
	res := &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Date": {now.UTC().Format(http.TimeFormat)}, "Content-Type": {"application/vnd.amazon.eventstream"}},
		Body:       io.NopCloser(bytes.NewReader(e.answer)),
		Request:    r,
	}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, err
	}
	if e.reject || now.Sub(signed).Abs() > 5*time.Minute {
		res.StatusCode = http.StatusForbidden
		res.Header.Set("Content-Type", "application/json")
		res.Header.Set("X-Amzn-Errortype", "InvalidSignatureException")
		res.Body = io.NopCloser(strings.NewReader(`{"message":"Signature expired"}`))
	}
	return res, nil
}

// The first stream of a skewed host costs one more request, and every later one costs one, whatever the retryer is.
func TestClockSkewIsLearnedOnce(t *testing.T) {
	t.Parallel()
	answer := answerOf(1)
	for name, set := range map[string]func(*bedrockruntime.Options){
		"the SDK's retryer": func(*bedrockruntime.Options) {},
		"no retryer":        func(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} },
		"one attempt":       func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 },
	} {
		for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
			t.Run(name+" "+ahead.String(), func(t *testing.T) {
				e := &elsewhere{ahead: ahead, answer: answer}
				m := must(New(bt.NewClient("http://localhost", func(o *bedrockruntime.Options) { o.HTTPClient = e }, set), "any-model", nil))
				for i := range 3 {
					require.NoError(t, drain(t.Context(), m))
					require.EqualValues(t, 2+i, e.requests.Load())
				}
			})
		}
	}
}

// A signature that is wrong for another reason is not sent again.
func TestOtherSignatureErrorsAreFinal(t *testing.T) {
	t.Parallel()
	e := &elsewhere{reject: true}
	m := must(New(bt.NewClient("http://localhost", func(o *bedrockruntime.Options) {
		o.HTTPClient, o.Retryer = e, aws.NopRetryer{}
	}), "any-model", nil))
	require.Error(t, drain(t.Context(), m))
	require.EqualValues(t, 1, e.requests.Load())
}
