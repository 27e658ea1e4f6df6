package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/bolt"
)

// writerEnv names the directory of a process that writes until it is killed.
const writerEnv = "BOLT_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writers is the number of concurrent writers, more than a transaction holds.
const writers = 128

// writeForever runs writers that put one item each, again and again, and prints a line
// for each acknowledged write.
func writeForever(dir string) error {
	d, err := bolt.Open(dir)
	if err != nil {
		return err
	}
	s, err := scope.Tenant("acme")
	if err != nil {
		return err
	}
	v, err := must.Get(table.New(d, nil)).In(s)
	if err != nil {
		return err
	}
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			sort := fmt.Sprint("item", i)
			it, err := v.Get(context.Background(), sort)
			if errors.Is(err, table.ErrNotFound) {
				it = table.Item{Sort: sort, Attr: map[string]table.Value{"fill": strings.Repeat("x", 2000)}}
			} else if err != nil {
				errs[i] = err
				return
			}
			it.Index = []table.Entry{{Slot: table.I1, Level: scope.TenantLevel, Class: "c", Sort: sort}}
			for {
				cond := table.Version(it.Version)
				if it.Version == 0 {
					cond = table.Absent()
				}
				if it, errs[i] = v.Put(context.Background(), it, cond); errs[i] != nil {
					return
				}
				fmt.Printf("%s %d\n", sort, it.Version) // one write call, unbuffered
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// A process that is killed between or during commits has stored all acknowledged writes,
// and the file is intact.
func TestKilledWriterKeepsAcknowledgedWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]int64{}
	for life := range 3 {
		readUntilKilled(t, dir, 500+137*life, acknowledged)
		d, v := open(t, dir)
		for sort, version := range acknowledged {
			it, err := v.Get(t.Context(), sort)
			require.NoError(t, err)
			require.GreaterOrEqual(t, it.Version, version)
			// Each writer has at most one write that it could not acknowledge.
			require.LessOrEqual(t, it.Version, version+1)
		}
		page, err := v.Query(t.Context(), table.Query{Slot: table.I1, Class: "c", Limit: 2 * writers})
		require.NoError(t, err)
		require.Len(t, page.Items, len(acknowledged), "the index is whole")
		require.NoError(t, d.Close())
	}
}

// readUntilKilled records the acknowledged writes of a process and kills it after that
// many lines.
func readUntilKilled(t *testing.T, dir string, lines int, acknowledged map[string]int64) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env, c.Stderr = append(os.Environ(), writerEnv+"="+dir), t.Output()
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	read := bufio.NewScanner(out)
	for n := 0; read.Scan(); n++ {
		if n == lines {
			require.NoError(t, c.Process.Kill())
		}
		var sort string
		var version int64
		if _, err := fmt.Sscanf(read.Text(), "%s %d", &sort, &version); err == nil {
			acknowledged[sort] = version
		}
	}
	require.ErrorContains(t, c.Wait(), "killed")
}
