package bedrock

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"

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
	buffered *bufio.Reader
	deltas   deltaDecoder
	protocol smithyhttp.ClientProtocol
	close    func() // closes the body; may be called more than once
	unwatch  func() bool
}

// newEventReader returns a reader of body. It closes body when ctx ends, in case a Read of body does not end by itself.
func newEventReader(ctx context.Context, body io.ReadCloser, protocol smithyhttp.ClientProtocol) *eventReader {
	closeBody := sync.OnceFunc(func() { _ = body.Close() })
	return &eventReader{
		buffered: bufio.NewReaderSize(&failingReader{r: body}, eventBuffer), protocol: protocol, close: closeBody,
		unwatch: context.AfterFunc(ctx, closeBody),
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

// end closes the body and releases the context.
func (r *eventReader) end() {
	r.unwatch()
	r.close()
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

// bodyKeeper is an HTTP client that keeps the body of a successful response and returns an empty body in its place. The
// SDK then sees a stream without events.
type bodyKeeper struct {
	next bedrockruntime.HTTPClient
	body io.ReadCloser // nil until a response is successful
}

func (k *bodyKeeper) Do(r *http.Request) (*http.Response, error) {
	k.close()
	res, err := k.next.Do(r)
	if err == nil && res != nil && res.StatusCode >= 200 && res.StatusCode < 300 {
		k.body = cmp.Or[io.ReadCloser](res.Body, http.NoBody)
		res.Body, res.ContentLength = http.NoBody, 0
	}
	return res, err
}

// take returns the body, which the caller must close, or nil. Close does not close it then.
func (k *bodyKeeper) take() io.ReadCloser {
	body := k.body
	k.body = nil
	return body
}

// close closes a body that was not taken.
func (k *bodyKeeper) close() {
	if body := k.take(); body != nil {
		_ = body.Close()
	}
}

// endStream closes the SDK's stream, if there is one, and waits until its reader has ended.
func endStream(s *bedrockruntime.ConverseStreamEventStream) {
	if s == nil {
		return
	}
	_ = s.Close()
	for range s.Events() {
	}
}
