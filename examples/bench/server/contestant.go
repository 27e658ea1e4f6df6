package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contestant is a server that is measured.
type contestant interface {
	name() string
	// prepare does what precedes the measured part: for each client the requests that it makes. It is called before
	// start, in a separate process.
	prepare(ctx context.Context, clients, rounds int) ([][]request, error)
	// start starts the server. The requests are sent to its address.
	start(ctx context.Context) (*process, error)
	// profiles returns the address of the server's net/http/pprof.
	profiles(p *process) string
}

// programs builds the programs into dir.
func buildPrograms(ctx context.Context, dir string) (floorPath, shelfPath string, err error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/carrel-go/carrel").Output()
	if err != nil {
		return "", "", fmt.Errorf("find the repository: %w", err)
	}
	root := strings.TrimSpace(string(out))
	floorPath, shelfPath = filepath.Join(dir, "floor"), filepath.Join(dir, "bookshelf")
	for _, b := range [][3]string{{"examples/bench", "./floor", floorPath}, {"examples", "./bookshelf", shelfPath}} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", b[2], b[1])
		cmd.Dir, cmd.Env, cmd.Stderr = filepath.Join(root, b[0]), append(os.Environ(), "GOWORK=off",
			"CGO_ENABLED=0"), os.Stderr
		if err := cmd.Run(); err != nil {
			return "", "", fmt.Errorf("build %s: %w", b[1], err)
		}
	}
	return floorPath, shelfPath, nil
}

// floor is the server by hand.
type floor struct {
	program, model string
	procs          int // GOMAXPROCS
	url            string
}

func (f *floor) name() string { return "floor" }

func (f *floor) prepare(_ context.Context, clients, rounds int) ([][]request, error) {
	all := make([][]request, clients)
	for i := range all {
		for range rounds {
			all[i] = append(all[i], func(ctx context.Context) (*http.Request, error) {
				return http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/extract", nil)
			})
		}
	}
	return all, nil
}

func (f *floor) start(ctx context.Context) (*process, error) {
	p, err := startProcess(ctx, f.program, f.procs, nil, []string{"FLOOR_ADDR=127.0.0.1:0", "FLOOR_MODEL=" + f.model})
	if err == nil {
		f.url = p.url
	}
	return p, err
}

func (f *floor) profiles(p *process) string { return p.url }
