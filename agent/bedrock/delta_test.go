package bedrock

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
	"github.com/stretchr/testify/require"
)

// frameOf returns an event as the service writes it.
func frameOf(t testing.TB, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":event-type", eventstream.StringValue(name))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	m.Headers.Set(":message-type", eventstream.StringValue("event"))
	var b bytes.Buffer
	require.NoError(t, eventstream.NewEncoder().Encode(&b, m))
	return b.Bytes()
}

// decodeBySDK decodes a frame with the SDK's decoder alone.
func decodeBySDK(frame []byte) (smithy.Deserializable, error) {
	return restjson1.New(schemas.AmazonBedrockFrontendService).DeserializeEventMessage(schemas.ConverseStreamOutput,
		bedrockruntime.TypeRegistry, bytes.NewReader(frame))
}

func takeDelta(stream []byte) *types.ContentBlockDeltaEvent {
	var d deltaDecoder
	return d.take(bufio.NewReaderSize(bytes.NewReader(stream), eventBuffer))
}

const plainDelta = `{"contentBlockIndex":0,"delta":{"text":"a word "},"p":"abcdefgh"}`

// The decoder takes the three kinds of deltas in the service's form, and returns the same events as the SDK's decoder.
func TestDeltasInTheFormOfTheService(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		plainDelta,
		`{"contentBlockIndex":12,"delta":{"text":""}}`,
		`{"contentBlockIndex":1,"delta":{"text":"a \"quoted\" \\ line\nand é 漢 😀\t"},"p":"a"}`,
		`{"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"Hm."}},"p":"ab"}`,
		`{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"isbn\": \"978"}},"p":"abc"}`,
	} {
		frame := frameOf(t, "contentBlockDelta", payload)
		want, err := decodeBySDK(frame)
		require.NoError(t, err)
		got := takeDelta(frame)
		require.NotNil(t, got, payload)
		require.Equal(t, want, got, payload)
	}
}

// Frames in another form, and damaged ones, are left to the SDK.
func TestFramesThatAreLeftToTheSDK(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"delta":{"text":"x"},"contentBlockIndex":0}`, `{"contentBlockIndex":0,"delta":{"text":"\u00e9"}}`,
		`{"contentBlockIndex":0,"delta":{"text":"x","other":1}}`, `{"contentBlockIndex":0,"delta":{"text":1}}`,
		`{"contentBlockIndex":00,"delta":{"text":"x"}}`, `{"contentBlockIndex":-1,"delta":{"text":"x"}}`,
		`{"contentBlockIndex":0,"delta":{"text":"x"}}}`, `{"contentBlockIndex":0,"delta":{"text":"x"},"p":"a","q":1}`,
		"{\"contentBlockIndex\":0,\"delta\":{\"text\":\"\xff\"}}", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\nb\"}}",
		`{"contentBlockIndex":0,"delta":{"text":"x\q"}}`, `{"contentBlockIndex":0,"delta":{"text":"x"},"p":"\q"}`, `{"contentBlockIndex":0,"delta":{"citation":{}}}`, `{}`, ``, `{"contentBlockIndex":0,"delta":{"text":"x"},"p":`,
		`{"contentBlockIndex":0,"delta":{"text":"` + strings.Repeat("x", eventBuffer) + `"}}`,
	} {
		require.Nil(t, takeDelta(frameOf(t, "contentBlockDelta", payload)), payload)
	}
	require.Nil(t, takeDelta(frameOf(t, "contentBlockStop", plainDelta)))
	whole := frameOf(t, "contentBlockDelta", plainDelta)
	for i := range whole {
		require.Nil(t, takeDelta(whole[:i]), "cut at %d", i)
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		require.Nil(t, takeDelta(damaged), "damaged at %d", i)
	}
}

// FuzzDelta checks that each event is the one that the SDK's decoder returns for the frame.
func FuzzDelta(f *testing.F) {
	for _, payload := range []string{
		plainDelta, `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1"}}}`, `{"contentBlockIndex":0,"delta":{"text":"\n"},"p":"a\n"}`,
	} {
		f.Add([]byte(payload), ":event-type", "contentBlockDelta", ":message-type", "event")
		f.Add([]byte(payload), ":message-type", "event", ":message-type", "event")
	}
	f.Fuzz(func(t *testing.T, payload []byte, name1, value1, name2, value2 string) {
		var b bytes.Buffer
		err := eventstream.NewEncoder().Encode(&b, eventstream.Message{Payload: payload, Headers: eventstream.Headers{
			{Name: ":content-type", Value: eventstream.StringValue("application/json")},
			{Name: name1, Value: eventstream.StringValue(value1)}, {Name: name2, Value: eventstream.StringValue(value2)},
		}})
		if err != nil {
			return // a header that cannot be encoded
		}
		got := takeDelta(b.Bytes())
		if got == nil {
			return
		}
		want, err := decodeBySDK(b.Bytes())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
