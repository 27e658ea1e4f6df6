package server

import (
	"bytes"
	"net/http"
	"strings"
	"sync"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// serveSamples answers GET /samples with the list of sample covers.
func (s *Server) serveSamples(w http.ResponseWriter, _ *http.Request) error {
	type sample struct {
		Name   string `json:"name"`
		Title  string `json:"title"`
		Author string `json:"author"`
		URL    string `json:"url"`
	}
	var list []sample
	for _, c := range cover.Samples() {
		list = append(list, sample{c.Name, c.Title, c.Author, "/samples/" + c.Name + ".png"})
	}
	return writeJSON(w, map[string]any{"samples": list})
}

// serveSample answers GET /samples/{name}.png.
func (s *Server) serveSample(w http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".png")
	render := s.covers[name]
	if !ok || render == nil {
		return newProblem(http.StatusNotFound, "The sample does not exist.")
	}
	png, err := render()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=3600")
	if _, err := w.Write(png); err != nil {
		return errGone
	}
	return nil
}

// newCovers returns, by sample name, functions that render a cover on the first call and cache it.
func newCovers() map[string]func() ([]byte, error) {
	covers := make(map[string]func() ([]byte, error))
	for _, c := range cover.Samples() {
		covers[c.Name] = sync.OnceValues(func() ([]byte, error) {
			var png bytes.Buffer
			err := cover.Render(&png, c, nil)
			return png.Bytes(), err
		})
	}
	return covers
}
