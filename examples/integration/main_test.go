package integration_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/presign/presigntest"
)

// servers is the backend of all tests of the package.
var servers *backend.Backend

func TestMain(m *testing.M) {
	presigntest.Main()
	if config := os.Getenv(crashServerVariable); config != "" {
		if err := serveCrash(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if servers, err = backend.Open(context.Background(), os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if s := servers.NotRun(); s != "" {
		fmt.Println(s)
	}
	code := m.Run()
	if err := servers.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
