package main

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/agent/bedrock/bedrocktest"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// A tenant that has used up its tokens waits for the next period. Its runs say how long. Other tenants are not affected.
func TestTokenBudget(t *testing.T) {
	t.Parallel()
	answer := bedrocktest.Reply(bedrocktest.Text("A book."), bedrocktest.Usage(agent.Usage{Input: 50, Output: 10}))
	model := bedrocktest.NewScript(bedrocktest.Forever(answer))
	env := behind(t, model)
	s, _ := impatient(t, "", func(c *config) {
		c.getenv = func(k string) string { return env[k] }
		c.grant, c.grace, c.sweep = time.Minute, time.Minute, time.Hour
		c.tenantTokens, c.stepTokens, c.tenantPeriod = 100, 50, 5*time.Second
	})
	acme, globex := s.forUser("acme", "ann"), s.forUser("globex", "bob")
	photo := drawn(t, cover.Samples()[0], nil)
	read := func(s *shelf) map[string]any {
		events, _ := s.extract(s.upload("cover.png", "image/png", photo), "")
		return last(events)
	}
	end := read(acme)
	for began := time.Now(); end["type"] == "complete" && time.Since(began) < time.Minute; { // a period may end between two runs
		end = read(acme)
	}
	require.Equal(t, "budget", end["code"], end)
	message := fmt.Sprint(end["message"])
	wait := regexp.MustCompile(`^The token budget is used up\. Try again in (\d+) seconds?\.$`).FindStringSubmatch(message)
	require.NotNil(t, wait, message)
	require.Equal(t, "complete", read(globex)["type"], "another tenant is not affected")
	seconds, err := strconv.Atoi(wait[1])
	require.NoError(t, err)
	require.LessOrEqual(t, seconds, 5)
	time.Sleep(time.Duration(seconds) * time.Second)
	require.Equal(t, "complete", read(acme)["type"], "the next period")
}
