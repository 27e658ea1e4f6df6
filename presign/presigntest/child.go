package presigntest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	childVariable = "CARREL_PRESIGNTEST_CHILD" // set in the environment of a child
	commandStop   = "stop"
	ownSocket     = "own" // in settings.Sockets, for the parent's requests
	apiSocket     = "api" // for the child's request to itself
)

// installed reports whether the program has called Main, so that a child becomes a server and not another program.
var installed atomic.Bool

// settings is the first message to a child. It is followed by commandStop, or by the end of the input when the parent
// has ended.
type settings struct {
	Dir, Sidecar, Sockets string
	AccessKey, SecretKey  string
	Events                bool
	Notify                []string
	MaxObject             int64
	MaxConns              int
}

// message is sent by a child. The first one has Endpoint or Error, and later ones have Event or Error.
type message struct {
	Endpoint string          `json:",omitempty"`
	Event    json.RawMessage `json:",omitempty"`
	Error    string          `json:",omitempty"`
}

// Main makes the process a server if [Start] has started it for that, and does not return then. Otherwise it only notes
// that the program calls it. Call it as the first statement of main or TestMain, before flags are parsed and files are
// opened.
//
// It reads one environment variable, CARREL_PRESIGNTEST_CHILD, which Start sets.
func Main() {
	if os.Getenv(childVariable) == "" {
		installed.Store(true)
		return
	}
	output := os.Stdout
	os.Stdout = os.Stderr // versitygw prints
	if err := runChild(os.Stdin, output); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// runChild serves until the parent says so or has ended.
func runChild(input io.Reader, output io.Writer) error {
	// A terminal and a supervisor signal the whole group. The parent decides when its requests have been answered.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	to := &messages{encoder: json.NewEncoder(output)}
	commands := json.NewDecoder(input)
	var with settings
	if err := commands.Decode(&with); err != nil {
		fmt.Fprintf(os.Stderr, "presigntest: %s is only for a child of presigntest.Start: %v\n", childVariable, err)
		return err
	}
	g, err := startGateway(with, to)
	if err != nil {
		to.send(message{Error: err.Error()})
		return err
	}
	go func() {
		for {
			var command string
			if err := commands.Decode(&command); err != nil { // the parent has ended: nobody waits for an answer
				_ = os.RemoveAll(with.Sockets)
				os.Exit(1)
			}
			g.stop()
		}
	}()
	to.send(message{Endpoint: g.endpoint})
	<-g.done
	if g.err != nil {
		to.send(message{Error: g.err.Error()})
	}
	return g.err
}

// messages writes messages to the parent.
type messages struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func (m *messages) send(v message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.encoder.Encode(v); err != nil && !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintf(os.Stderr, "presigntest: %v\n", err)
	}
}
