package integration_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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

	mu        sync.Mutex
	rnd       *rand.Rand
	processes map[string]*process // those that live, by name
	started   int
	kills     map[moment]int
	freezes   int
}

// process is a server. gone is closed when it has ended.
type process struct {
	name, url string
	command   *exec.Cmd
	gone      chan struct{}
}

// moment is when a process is killed.
type moment string

// The moments. A process dies at once, or is about to answer.
const (
	anyTime         moment = "any time"
	beforeEffect    moment = "before an effect"
	afterEffect     moment = "after an effect"
	duringStart     moment = "during a start"
	afterStart      moment = "after a start"
	duringDecision  moment = "during a decision"
	afterDecision   moment = "after a decision"
	atStoreRequest  moment = "at a request to the store"
	trapTime               = 2 * time.Second // after which a process is killed anyway
	startOfProcess         = 20 * time.Second
	longestOfFreeze        = 2 * crashLease
)

var moments = []moment{
	anyTime, anyTime, beforeEffect, afterEffect, duringStart, afterStart, duringDecision, afterDecision, atStoreRequest, atStoreRequest,
}

// trap kills the process that reaches a moment first.
type trap struct {
	moment moment
	hit    chan *process
}

func newCrashWorld(t *testing.T, config crashConfig) *crashWorld {
	t.Helper()
	w := &crashWorld{
		t: t, seed: rand.Uint64N(1 << 32), config: config, processes: map[string]*process{}, kills: map[moment]int{},
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
		client = s3.New(store.Client().Options(), func(o *s3.Options) { o.UsePathStyle = true })
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
	p := &process{name: c.Name, command: exec.CommandContext(context.Background(), os.Args[0]), gone: make(chan struct{})}
	p.command.Env, p.command.Stderr = append(os.Environ(), crashServerVariable+"="+string(config)), w.t.Output()
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

// choose returns one of the processes that live.
func (w *crashWorld) choose(rnd *rand.Rand) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
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

// reach kills the process if it is wanted at that moment.
func (w *crashWorld) reach(p *process, m moment) {
	if t := w.armed.Load(); p != nil && t != nil && t.moment == m && w.armed.CompareAndSwap(t, nil) {
		p.kill()
		t.hit <- p
	}
}

// killProcess kills a process at a random moment and starts another one.
func (w *crashWorld) killProcess() {
	m := moments[w.chance(len(moments))]
	p := w.await(m)
	if p == nil {
		m, p = anyTime, w.choose(w.rnd)
	}
	p.kill()
	w.mu.Lock()
	w.kills[m]++
	delete(w.processes, p.name)
	w.mu.Unlock()
	w.startProcess()
}

// await returns the process that was killed at a moment, or nil if none was.
func (w *crashWorld) await(m moment) *process {
	switch m {
	case anyTime:
		return nil
	case atStoreRequest:
		return w.killAtRequest()
	}
	t := &trap{m, make(chan *process, 1)}
	w.armed.Store(t)
	select {
	case p := <-t.hit:
		return p
	case <-time.After(trapTime):
	}
	if w.armed.CompareAndSwap(t, nil) {
		return nil
	}
	return <-t.hit
}

// killAtRequest lets a process die at one of its next requests to the store.
func (w *crashWorld) killAtRequest() *process {
	p := w.choose(w.rnd)
	ctx, cancel := context.WithTimeout(w.t.Context(), trapTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprint(p.url, "/kill/", 1+w.chance(100)), nil)
	require.NoError(w.t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil // it is frozen
	}
	_ = res.Body.Close()
	select {
	case <-p.gone:
		return p
	case <-ctx.Done():
		return nil
	}
}

// freezeProcesses stops a process for a while, until ctx ends. If it is stopped for longer than a lease, another process
// takes its runs over, and it continues as if nothing had happened.
func (w *crashWorld) freezeProcesses(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2*time.Second + time.Duration(w.chance(4000))*time.Millisecond):
		}
		p := w.choose(w.rnd)
		_ = p.command.Process.Signal(syscall.SIGSTOP)
		select {
		case <-p.gone:
		case <-time.After(time.Duration(w.chance(int(longestOfFreeze)))):
			_ = p.command.Process.Signal(syscall.SIGCONT)
		}
		w.mu.Lock()
		w.freezes++
		w.mu.Unlock()
	}
}

// endProcesses asks all processes to end. Each hands its runs over and exits without an error.
func (w *crashWorld) endProcesses() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range maps.Values(w.processes) {
		_ = p.command.Process.Signal(syscall.SIGTERM)
		<-p.gone
		require.Zero(w.t, p.command.ProcessState.ExitCode(), p.name)
	}
}
