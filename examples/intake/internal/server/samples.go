package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
	"github.com/carrel-go/carrel/examples/intake/internal/sample"
)

const (
	defaultSampleRows = 2000
	maxSampleRows     = 200_000
)

// serveSample answers GET /samples/{name}?rows= with a made-up file, such as shipments.csv.
func (s *Server) serveSample(w http.ResponseWriter, r *http.Request) error {
	kind, format, _ := strings.Cut(r.PathValue("name"), ".")
	rows := defaultSampleRows
	if text := r.URL.Query().Get("rows"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxSampleRows {
			return newProblem(http.StatusBadRequest, fmt.Sprintf("The parameter rows must be 1 to %d.", maxSampleRows))
		}
		rows = n
	}
	o := &sample.Options{Kind: kinds.Kind(kind), Format: sample.Format(format), Rows: int64(rows), Seed: 1}
	if err := o.Check(); err != nil || format == "" {
		return newProblem(http.StatusNotFound, "This sample does not exist.")
	}
	if o.Kind == kinds.Suppliers && r.URL.Query().Get("rows") == "" {
		o.Rows = 40
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := sample.Write(w, o); err != nil {
		return http.ErrAbortHandler
	}
	return nil
}
