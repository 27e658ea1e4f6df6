package bedrock

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// eventBuffer is the size of the buffer before the decoders. Most events fit.
const eventBuffer = 512

// eventReader reads the events of one answer in the goroutine that calls next. The SDK's own stream uses three
// goroutines and passes each event through two channels.
type eventReader struct {
	body     io.ReadCloser
	buffered *bufio.Reader
	deltas   deltaDecoder
	protocol smithyhttp.ClientProtocol
	unwatch  func() bool
}

// newEventReader returns a reader that closes body when ctx ends, since a body may not notice that.
func newEventReader(ctx context.Context, body io.ReadCloser, protocol smithyhttp.ClientProtocol) *eventReader {
	return &eventReader{
		body: body, buffered: bufio.NewReaderSize(&failingReader{r: body}, eventBuffer), protocol: protocol,
		unwatch: context.AfterFunc(ctx, func() { _ = body.Close() }),
	}
}

// next returns the next event, a pointer to one of the SDK's event types or an [*eventstream.UnknownUnionMember], which
// is valid until the next call. It returns io.EOF at the end of the stream and an exception of the service as its type.
func (r *eventReader) next() (smithy.Deserializable, error) {
	if ev := r.deltas.take(r.buffered); ev != nil {
		return ev, nil
	}
	return r.protocol.DeserializeEventMessage(schemas.ConverseStreamOutput, bedrockruntime.TypeRegistry, r.buffered)
}

// failingReader repeats the first error of a reader, since a bufio.Reader reads again after it has returned an error.
type failingReader struct {
	r   io.Reader
	err error
}

func (f *failingReader) Read(b []byte) (n int, err error) {
	if f.err == nil {
		n, f.err = f.r.Read(b)
	}
	return n, f.err
}

func (r *eventReader) close() {
	r.unwatch()
	_ = r.body.Close()
}

// bodyKeeper is an HTTP client that keeps the body of an answer that is a success. It passes on an empty one, which is
// a stream without events to the SDK.
type bodyKeeper struct {
	next bedrockruntime.HTTPClient
	body io.ReadCloser // never nil after a success
}

func (k *bodyKeeper) Do(r *http.Request) (*http.Response, error) {
	k.close()
	res, err := k.next.Do(r)
	if err == nil && res.StatusCode >= 200 && res.StatusCode < 300 {
		k.body, res.Body = cmp.Or[io.ReadCloser](res.Body, http.NoBody), http.NoBody
	}
	return res, err
}

func (k *bodyKeeper) close() {
	if k.body != nil {
		_ = k.body.Close()
		k.body = nil
	}
}

// endStream closes the SDK's stream and waits until its reader has ended.
func endStream(s *bedrockruntime.ConverseStreamEventStream) {
	_ = s.Close()
	for range s.Events() {
	}
}
