package server

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/cover"
	"github.com/carrel-go/carrel/httpapi"
)

// serveSamples answers GET /samples with the list of sample covers.
func (s *Server) serveSamples(w http.ResponseWriter, _ *http.Request) error {
	type sample struct {
		Name      string `json:"name"`
		Title     string `json:"title"`
		Author    string `json:"author"`
		URL       string `json:"url"`
		Thumbnail string `json:"thumbnail"`
	}
	var list []sample
	for _, c := range cover.Samples() {
		list = append(list, sample{
			c.Name, c.Title, c.Author, "/samples/" + c.Name + coverFile, "/samples/" + c.Name + thumbnailFile,
		})
	}
	return httpapi.WriteJSON(w, map[string]any{"samples": list})
}

// The endings of a sample's files.
const (
	coverFile     = ".png"
	thumbnailFile = "-small.jpg"
)

// serveSample answers GET /samples/{name}.png and GET /samples/{name}-small.jpg.
func (s *Server) serveSample(w http.ResponseWriter, r *http.Request) error {
	file := r.PathValue("file")
	render := s.covers[file]
	if render == nil {
		return newProblem(http.StatusNotFound, "The sample does not exist.")
	}
	picture, err := render()
	if err != nil {
		return err
	}
	format := cover.PNG
	if strings.HasSuffix(file, thumbnailFile) {
		format = cover.JPEG
	}
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Cache-Control", "max-age=86400")
	if _, err := w.Write(picture); err != nil {
		return http.ErrAbortHandler
	}
	return nil
}

// newCovers returns, by file name, functions that render a picture on the first call and cache it.
func newCovers() map[string]func() ([]byte, error) {
	covers := make(map[string]func() ([]byte, error))
	add := func(file string, render func(io.Writer) error) {
		covers[file] = sync.OnceValues(func() ([]byte, error) {
			var b bytes.Buffer
			err := render(&b)
			return b.Bytes(), err
		})
	}
	for _, c := range cover.Samples() {
		add(c.Name+coverFile, func(w io.Writer) error { return cover.Render(w, c, nil) })
		add(c.Name+thumbnailFile, func(w io.Writer) error { return cover.RenderThumbnail(w, c) })
	}
	return covers
}
