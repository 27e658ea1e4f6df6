package server

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
)

// samples answers GET /samples: the covers that anybody may try the server with.
func (s *Server) samples(w http.ResponseWriter, _ *http.Request) error {
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

// sample answers GET /samples/{name}.png.
func (s *Server) sample(w http.ResponseWriter, r *http.Request) error {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".png")
	for _, c := range cover.Samples() {
		if !ok || c.Name != name {
			continue
		}
		var png bytes.Buffer
		if err := cover.Render(&png, c, nil); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "max-age=3600")
		if _, err := w.Write(png.Bytes()); err != nil {
			return errGone
		}
		return nil
	}
	return newProblem(http.StatusNotFound, "There is no such sample.")
}
