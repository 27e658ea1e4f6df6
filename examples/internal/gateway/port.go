package gateway

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lastPort is the port that the server of the directory had the last time, or "0".
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

// keepPort remembers it. A server whose port cannot be kept is ended.
func keepPort(dir string, g *Gateway) error {
	_, port, _ := strings.Cut(strings.TrimPrefix(g.endpoint, "http://"), ":")
	if err := os.WriteFile(dir+".port", []byte(port), 0o600); err != nil {
		_ = g.Close()
		return fmt.Errorf("gateway: keep the port: %w", err)
	}
	return nil
}
