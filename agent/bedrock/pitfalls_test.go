package bedrock_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Known problems between agents and Converse, and the tests that cover them. Those of the
// package agent hold for every Model.
var pitfalls = []struct {
	what  string
	tests []string
}{
	{"1: the SDK reports a stream that was cut as a clean end", []string{"TestTruncation", "TestCutAtEveryByte", "TestRandomStreams", "FuzzStream"}},
	{"2: concurrent streams of one client race inside the SDK (under -race)", []string{"TestConcurrentStreams"}},
	{"3: a stream that is left or cancelled leaks the SDK's goroutines", []string{"TestLeavingEndsTheStream", "TestTheBodyIsClosed", "TestRandomStreams"}},
	{"4: a server on loopback that answers at once loses the connection", []string{"TestFastServer", "TestAnswersAreNotTooFast"}},
	{"5: what may be retried, and until when", []string{"TestHTTPErrors", "TestStreamExceptions", "TestRecovers"}},
	{"6: silence hangs for ever, and global timeouts kill live streams", []string{"TestSilence", "TestTheClientNeedNotHeedTheContext", "TestSlowIsNotSilent", "TestOtherTimeouts"}},
	{"7: stop reasons lie both ways", []string{"TestAgentOverTheWire", "TestStopReasons", "agent.TestReasonsLie"}},
	{"8: arguments that are cut or are no JSON must not run", []string{"TestAnswers", "TestAgentOverTheWire", "agent.TestUnreadableCalls"}},
	{"9: blocks interleave, and their index tells them apart", []string{"TestAnswers", "TestAnswersThatMakeNoSense"}},
	{"10: reasoning and its signature come back as they went out", []string{"TestReasoningGolden", "TestReasoningRoundTrip"}},
	{"11: roles alternate, and all results lead one message", []string{"TestRequestGoldens", "TestAgentOverTheWire"}},
	{"12: toolConfig is required while the history holds tool blocks", []string{"TestRequestGoldens"}},
	{"13: blank text and empty results are refused", []string{"TestRequestGoldens"}},
	{"14: names of documents: grammar, uniqueness, injection; their sibling text", []string{"TestMediaGoldens", "TestMediaLimits"}},
	{"15: cache points: order of their times, not after documents, four at most", []string{"TestCacheGoldens"}},
	{"newer Claude models give every call a type, and only server_tool_use is the service's", []string{"TestAnswers", "TestAgentOverTheWire"}},
	{"a citation comes before the text that it supports, in the same block", []string{"TestAnswers", "TestCitationsOverTheWire"}},
	{"16: unknown members are skipped", []string{"TestAnswers", "TestRandomStreams"}},
	{"17: results in the order of completion break the prompt cache", []string{"TestResultsKeepTheOrderOfCalls", "agent.TestParallel"}},
	{"18: a history with a call and no result poisons a session", []string{"TestAgentOverTheWire", "agent.TestRandomScripts"}},
	{"a limit on tokens is always sent: the quota is reserved from it", []string{"TestMaxTokensIsAlwaysSent"}},
	{"a prompt's ARN forbids what an agent sends", []string{"TestInvalidModelIDs"}},
	{"what the service would refuse of images and documents is not sent", []string{"TestMediaLimits", "TestEveryFormat", "TestObjectsThatCannotBeRead"}},
}

func TestEveryPitfallHasItsTests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for dir, prefix := range map[string]string{".": "", "bedrocktest": "", "..": "agent."} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		for _, f := range files {
			src, err := os.ReadFile(f)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(src, -1) {
				there[prefix+string(m[1])] = true
			}
		}
	}
	for _, p := range pitfalls {
		for _, name := range p.tests {
			require.True(t, there[name], "%s: %s is no test", p.what, name)
		}
	}
}
