package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign/presigntest"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
	"github.com/carrel-go/carrel/tracking"
)

// crashWorld has two servers at a time on one table and one bucket, and the service in which their tools have effects.
type crashWorld struct {
	t       *testing.T
	seed    uint64
	config  crashConfig // of every server, apart from its name and its seed
	table   *table.Table
	objects *object.Bucket
	effects *effects
	armed   atomic.Pointer[trap]
	answers atomic.Int64 // that the clients have received, once for each client

	mu        sync.Mutex
	rnd       *rand.Rand
	processes map[string]*process // those that live, by name
	started   int
	kills     map[moment]int
	freezes   int
	hit       map[string]int // by run that is followed: how often a process was killed or frozen since its last answer
}

// process is a server. gone is closed when it has ended.
type process struct {
	name, url string
	command   *exec.Cmd
	gone      chan struct{}
}

func newCrashWorld(t *testing.T, config crashConfig) *crashWorld {
	t.Helper()
	w := &crashWorld{
		t: t, seed: rand.Uint64N(1 << 32), config: config, processes: map[string]*process{}, kills: map[moment]int{},
		hit: map[string]int{},
	}
	t.Log("seed", w.seed)
	w.rnd = rand.New(rand.NewPCG(w.seed, 0))
	name, remove, err := servers.NewTable(t.Context(), &dynamo.TableOptions{Listed: tracking.Listed()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remove(context.Background())) })
	w.config.Table = name
	w.config.DynamoDB = endpointOf(t, *servers.DynamoDB.Options().BaseEndpoint, servers.DynamoDB.Options().Credentials)
	w.table = newFaultyTransport(servers.DynamoDB.Options().HTTPClient, 0).openTable(t, name, true)
	w.openBucket()
	w.effects = newEffects(w.seed)
	w.effects.reach = func(name string, m moment) { w.reach(w.find(name), m) }
	service := httptest.NewServer(w.effects)
	t.Cleanup(service.Close)
	w.config.Effects = service.URL
	for range 2 {
		w.startProcess()
	}
	return w
}

func endpointOf(t *testing.T, url string, provider aws.CredentialsProvider) endpointConfig {
	t.Helper()
	k, err := provider.Retrieve(t.Context())
	require.NoError(t, err)
	return endpointConfig{url, k.AccessKeyID, k.SecretAccessKey, k.SessionToken}
}

// openBucket makes a bucket in the backend's S3, or in the embedded one.
func (w *crashWorld) openBucket() {
	client := servers.S3
	if client == nil {
		store, err := presigntest.Start(w.t.Context(), filepath.Join(w.t.TempDir(), "s3"), nil)
		require.NoError(w.t, err)
		w.t.Cleanup(func() { _ = store.Close() })
		client = store.Client()
	}
	w.config.Bucket = "crash-" + strings.TrimPrefix(w.config.Table, "carrel-")
	require.NoError(w.t, presigntest.EnsureBucket(w.t.Context(), client, w.config.Bucket))
	w.config.S3 = endpointOf(w.t, *client.Options().BaseEndpoint, client.Options().Credentials)
	var err error
	w.objects, err = s3object.Open(client, w.config.Bucket, nil)
	require.NoError(w.t, err)
}

// startProcess starts a server.
func (w *crashWorld) startProcess() {
	w.mu.Lock()
	w.started++
	c := w.config
	c.Name, c.Seed, c.Retries = fmt.Sprint("p", w.started), w.seed+uint64(w.started), w.rnd.IntN(2) == 0
	w.mu.Unlock()
	config, err := json.Marshal(c)
	require.NoError(w.t, err)
	p := &process{name: c.Name, gone: make(chan struct{})}
	p.command = exec.CommandContext(context.Background(), os.Args[0])
	p.command.Env = append(os.Environ(), crashServerVariable+"="+string(config))
	p.command.Stderr = w.t.Output()
	out, err := p.command.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, p.command.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(w.t, err)
	p.url = strings.TrimSpace(line)
	go func() {
		_ = p.command.Wait()
		close(p.gone)
	}()
	w.t.Cleanup(p.kill)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes[p.name] = p
}

// kill kills the process and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.gone
}

// find returns the process with that name if it lives.
func (w *crashWorld) find(name string) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[name]
}

// choose returns one of the processes that live, or nil if none does.
func (w *crashWorld) choose(rnd *rand.Rand) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.processes) == 0 {
		return nil
	}
	n := rnd.IntN(len(w.processes))
	for _, p := range w.processes {
		if n--; n < 0 {
			return p
		}
	}
	return nil
}

// chance returns a random number below n.
func (w *crashWorld) chance(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}
