// Package agenttest tests agents and models without a model service.
//
// [Play] returns a [Script], an [agent.Model] that plays the turns of a test. The test fails if a request is not the
// expected one, or if turns are left:
//
//	m := agenttest.Play(t,
//		agenttest.Answer(agenttest.Call("c1", "count", `{"subject":"whales"}`)),
//		agenttest.Answer(agenttest.Say("There are three.")).Expect(agenttest.HasResult("c1", "3 books")),
//	)
//	a, err := agent.New(m, &agent.Options{Tools: tools.Of(count)})
//
// [Func] makes a Model of a function. Use it for several conversations at once.
//
// [Record] records a conversation with a real service at the level of HTTP, and [Replay] plays it back without a
// network or credentials. Both are transports for the client of the service's SDK, so a replay also tests the adapter.
//
// [TestModel] is the conformance suite for implementations of [agent.Model]. [Actor] is the Model to put behind the
// server that an adapter is tested against.
//
// The package does not run agents and does not assert their answers.
package agenttest
