package presigntest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lastPort returns the port of the directory's last server, or "0".
func lastPort(dir string) string {
	b, err := os.ReadFile(dir + ".port") //nolint:gosec // beside the directory that the server is given
	if err != nil {
		return "0"
	}
	if n, err := strconv.ParseUint(string(b), 10, 16); err != nil || n < 1024 {
		return "0"
	}
	return string(b)
}

// keepPort remembers the port of the endpoint.
func keepPort(dir, endpoint string) error {
	_, port, _ := strings.Cut(strings.TrimPrefix(endpoint, "http://"), ":")
	if err := os.WriteFile(dir+".port", []byte(port), 0o600); err != nil {
		return fmt.Errorf("keep the port: %w", err)
	}
	return nil
}
