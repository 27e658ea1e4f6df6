package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/table/bolt"
)

func TestOneProcessADirectory(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	_, err := start(t.Context(), config{addr: "127.0.0.1:0", data: s.dir, model: "m", landing: "l", raw: "r", table: "t", getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, bolt.ErrLocked)
	require.ErrorContains(t, err, "-data: another process, probably another bookshelf, uses this directory")
	require.Equal(t, 1, strings.Count(err.Error(), s.dir), "the error names the directory: %v", err)
}

func TestADirectoryThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := start(t.Context(), config{
		addr: "127.0.0.1:0", data: filepath.Join(file, "x"), model: "m", landing: "l", raw: "r", table: "t",
		getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler),
	})
	require.ErrorContains(t, err, "-data: mkdir "+file)
}

func TestAPortInUse(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	address := strings.TrimPrefix(s.url, "http://")
	err := run(t.Context(), []string{"-addr", address}, func(string) string { return "" }, io.Discard, io.Discard)
	require.ErrorContains(t, err, "-addr: another process uses "+address+": stop it, or name another port")
}

func TestTheAddressOfALocalNetworkIsExplained(t *testing.T) {
	t.Parallel()
	c := config{lan: true, addr: "127.0.0.1:9000"}
	require.NotContains(t, c.warning("http://192.0.2.7:9000"), "only the port is used", "the default")
	c.isAddrSet = true
	require.Contains(t, c.warning("http://192.0.2.7:9000"), "Of -addr 127.0.0.1:9000, only the port is used")
	c.addr = "192.0.2.7:9000"
	require.NotContains(t, c.warning("http://192.0.2.7:9000"), "only the port is used")
	require.Empty(t, config{addr: "127.0.0.1:9000", isAddrSet: true}.warning("http://127.0.0.1:9000"))
}

func TestWhatStartRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-addr", "0.0.0.0:0"}, "must be a loopback address"},
		{[]string{"-addr", "192.0.2.1:0"}, "must be a loopback address"},
		{[]string{"-addr", ":0"}, "must be a loopback address"},
		{[]string{"-addr", "8080"}, "missing port"},
		{[]string{"-landing", "one", "-raw", "one"}, "must be different buckets"},
		{[]string{"-model", ""}, "must not be empty"},
		{[]string{"-addr", "0.0.0.0:0", "-aws"}, "unless -aws and -issuer are set"},
		{[]string{"-addr", "0.0.0.0:0", "-issuer", "https://id.example", "-audience", "a"}, "unless -aws and -issuer are set"},
		{[]string{"-issuer", "https://id.example"}, "requires either -audience"},
		{[]string{"-issuer", "https://id.example", "-audience", "a", "-client", "b"}, "requires either -audience"},
		{[]string{"-audience", "a"}, "require -issuer"},
		{[]string{"-tenant-claim", "a"}, "require -issuer"},
		{[]string{"-issuer-keys", "https://id.example/keys"}, "require -issuer"},
		{[]string{"-lan", "-aws"}, "-lan is for the embedded mode"},
		{[]string{"-lan", "-sign-in"}, "-lan is for the embedded mode"},
		{[]string{"-lan", "-issuer", "https://id.example", "-audience", "a"}, "-lan is for the embedded mode"},
		{[]string{"-lan", "-addr", "0.0.0.0:0"}, "must be an address of a local network"},
		{[]string{"-lan", "-addr", "203.0.113.5:0"}, "must be an address of a local network"},
		{[]string{"-issuer", "https://id.example", "-audience", "a", "-issuer-keys", "keys"}, "-issuer-keys: invalid value"},
		{[]string{"-issuer", "https://id.example", "-audience", "a", "-sign-in"}, "-sign-in is for the program's own issuer"},
		{[]string{"-issuer", "id.example", "-audience", "a"}, "must be an http or https URL"},
		{[]string{"-events-queue", "https://sqs.example/q"}, "requires -aws"},
		{[]string{"-aws", "-events-queue", "q"}, "must be an http or https URL"},
		{[]string{"-lease", "999ms"}, "-lease: invalid duration 999ms"},
		{[]string{"-lease", "0s"}, "-lease: invalid duration 0s: must be at least 1s"},
		{[]string{"-sweep", "-1s"}, "-sweep: invalid interval -1s"},
		{[]string{"-sweep", "0s"}, "-sweep: invalid interval 0s: must be positive"},
		{[]string{"-pace", "-1ms"}, "-pace: invalid duration -1ms"},
		{[]string{"-grants", "0"}, "-grants: invalid limit 0: must be 1 to 10000"},
		{[]string{"-grants", "10001"}, "must be 1 to 10000"},
		{[]string{"-queue", "0"}, "-queue: invalid limit 0: must be 1 to 10000"},
		{[]string{"-user-runs", "-1"}, "-user-runs: invalid limit -1: must be 1 to 10000"},
		{[]string{"-tenant-tokens", "-1"}, "must not be negative"},
		{[]string{"-step-tokens", "0"}, "-step-tokens: invalid number 0: must be at least 1"},
		{[]string{"-tenant-tokens", "9999"}, "-step-tokens: invalid number 10000: must be 1 to -tenant-tokens"},
		{[]string{"-tenant-tokens", "9999", "-step-tokens", "0"}, "-step-tokens: invalid number 0"},
		{[]string{"-tenant-period", "999ms"}, "-tenant-period: invalid duration 999ms: must be at least 1s"},
		{[]string{"-tenant-period", "0s"}, "-tenant-period: invalid duration 0s: must be at least 1s"},
		{[]string{"-retention", "-1h"}, "invalid duration -1h0m0s"},
		{[]string{"-chat-retention", "59m"}, "-chat-retention: invalid duration 59m0s: must be 0 or at least 1h"},
		{[]string{"-chat-retention", "-1h"}, "-chat-retention: invalid duration -1h0m0s"},
		{[]string{"-events-wait", "0s"}, "1s to 20s"},
		{[]string{"-events-wait", "1500ms"}, "1s to 20s"},
		{[]string{"-events-wait", "21s"}, "1s to 20s"},
		{[]string{"-lookup", "google"}, `-lookup: invalid source "google": must be builtin or openlibrary`},
		{[]string{"-lookup", "openlibrary"}, "requires -lookup-contact"},
		{[]string{"-lookup", "openlibrary", "-lookup-contact", "me"}, "-lookup-contact: openlibrary: invalid contact"},
		{[]string{"-lookup-contact", "ann@example.com"}, "-lookup-contact requires -lookup openlibrary"},
		{[]string{"serve"}, "unexpected argument"},
		{[]string{"-port", "1"}, "not defined"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		args := append([]string{"-addr", "127.0.0.1:0"}, c.args...) // another program may use the default port
		err := run(ctx, args, func(string) string { return "" }, io.Discard, io.Discard)
		cancel()
		require.ErrorContains(t, err, c.want)
	}
}

func TestATemporaryDirectoryIsRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	out := &opened{cancel: cancel}
	require.NoError(t, run(ctx, []string{"-addr", "127.0.0.1:0"}, func(string) string { return "" }, out, io.Discard))
	require.Regexp(t, `^The bookshelf is open at http://127\.0\.0\.1:\d+\n$`, out.String())
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// opened ends the program once it says that it is open.
type opened struct {
	bytes.Buffer
	cancel func()
}

func (o *opened) Write(b []byte) (int, error) {
	defer o.cancel()
	return o.Buffer.Write(b)
}

// Each refusal writes one line to the log, for every package that refuses.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	s := &shelf{t: t}
	a, err := start(t.Context(), config{
		addr: "127.0.0.1:0", model: "m", landing: "carrel-landing", raw: "carrel-raw", table: "carrel",
		getenv: func(k string) string { return s.env[k] }, log: slog.New(slog.NewTextHandler(&out, nil)), pace: -1,
	})
	require.NoError(t, err)
	s.app, s.url = a, a.url
	t.Cleanup(s.stop)
	for op, ask := range map[string]func(){
		"object.ref":      func() { s.do("GET", s.url+"/api/upload/presigned?filename=..%2Fx", "", nil, nil) },
		"tracking.List":   func() { s.do("GET", s.url+"/api/ops/files?cursor=AAAA", "", nil, nil) },
		"oidc.Middleware": func() { s.do("GET", s.url+"/api/ops/files", "", nil, map[string]string{"Authorization": "Bearer x"}) },
	} {
		out.reset()
		ask()
		require.Equal(t, 1, strings.Count(out.text(), "msg=refused"), op)
		require.Contains(t, out.text(), "op="+op)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}
