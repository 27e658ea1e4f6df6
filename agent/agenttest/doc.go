// Package agenttest is for tests of agents and of models, with neither a network nor a model.
//
// A [Script] is an [agent.Model] that plays turns which a test has written, and says which of them were not as
// expected or not played at all:
//
//	m := agenttest.Play(t,
//		agenttest.Answer(agenttest.Call("c1", "count", `{"subject":"whales"}`)),
//		agenttest.Answer(agenttest.Say("There are three.")).Expect(agenttest.Resulted("c1", "3 books")),
//	)
//	a, err := agent.New(m, &agent.Options{Tools: tools.Of(count)})
//
// A [Cast] gives each of several conversations a script of its own, and [Func] makes a model of a function.
//
// [Record] puts a recorder around a real model: what is asked and answered goes to a file that a person can read,
// review and edit, with the secrets taken out. [Replay] answers from such a file, and fails with a diff where it is
// asked something else. [Verify] makes a test look at the errors of any of them at its end.
//
// [TestModel] is what every agent.Model has to pass, this module's and other people's; [Actor] stands behind the
// server of whoever tests an adapter.
//
// What it does not do: it runs no agent, asserts nothing about what an agent did, and knows no test framework.
package agenttest
