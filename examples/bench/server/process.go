package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The cores of the measured server, and of everything else.
const (
	serverCore = 0
	loadCore   = 1
)

// tick is the unit of the CPU times in /proc.
const tick = time.Second / 100

// process is a server that was started here.
type process struct {
	url string // its address
	cmd *exec.Cmd
}

// startProcess starts a program on the core of the server, with that GOMAXPROCS. It returns when the program has
// printed its address.
func startProcess(ctx context.Context, program string, procs int, args, env []string) (*process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(procs)), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(cmd, serverCore); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p := &process{url: regexp.MustCompile(`http://[^\s]+`).FindString(line), cmd: cmd}
	if p.url == "" {
		return nil, errors.Join(fmt.Errorf("%s did not start: %s", filepath.Base(program), log.String()), err, p.stop())
	}
	return p, nil
}

// startOn starts a command on one core: a process inherits the cores of the thread that starts it.
func startOn(cmd *exec.Cmd, core int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := useCore(0, core); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), useCore(0, loadCore))
}

// useCore moves a thread to a core. The thread 0 is that of the caller.
func useCore(thread, core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(thread, &set)
}

// useCoreForAll moves all threads of a process to a core.
func useCoreForAll(pid, core int) error {
	for range 2 { // a thread may have started another one meanwhile
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(filepath.Base(t))
			if err != nil {
				return err
			}
			if err := useCore(id, core); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// moveChildren moves the processes that p has started, such as the embedded S3, to the other core.
func (p *process) moveChildren() error {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, path := range stats {
		fields, err := readStat(path)
		if err != nil {
			continue // it has ended
		}
		if fields[1] != strconv.Itoa(p.cmd.Process.Pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		if err := useCoreForAll(child, loadCore); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := p.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Sys().(syscall.WaitStatus).Signaled() {
		return nil // the floor does not handle the signal
	}
	return err
}

// usage is a measurement of a process.
type usage struct {
	cpu       time.Duration // so far
	resident  int64         // bytes
	anonymous int64         // of them, those that do not belong to a file
	files     int           // open
}

// usage reads the usage of the process.
func (p *process) usage() (u usage, err error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	fields, err := readStat(dir + "stat")
	if err != nil {
		return u, err
	}
	for _, i := range []int{11, 12} { // utime and stime
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * tick
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &u.resident, "RssAnon": &u.anonymous}[name]
		if into == nil {
			continue
		}
		if *into, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err != nil {
			return u, err
		}
		*into <<= 10
	}
	files, err := os.ReadDir(dir + "fd")
	u.files = len(files)
	return u, err
}

// readStat returns the fields of a stat file of /proc after the name of the program.
func readStat(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return nil, fmt.Errorf("%s: unexpected format", path)
	}
	return fields, nil
}
