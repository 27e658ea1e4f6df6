package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/oidc"
)

// errNoBook is the answer for a book that does not exist or that the caller does not see.
var errNoBook = newProblem(http.StatusNotFound, "The book was not found.")

// bookRow is a book in a list. It is complete: a client shows it without another request.
type bookRow struct {
	ID            string        `json:"id"`
	Metadata      book.Metadata `json:"metadata"`
	Version       int           `json:"version"`
	Owner         string        `json:"owner"` // "you" or "tenant"
	SharedVersion int           `json:"shared_version,omitempty"`
	Accepted      time.Time     `json:"accepted_at"`
	Changed       time.Time     `json:"changed_at"`
	SharedBy      string        `json:"shared_by,omitempty"` // the id of the colleague who has shared this copy
	PhotoURL      string        `json:"photo_url,omitempty"`
	ThumbnailURL  string        `json:"thumbnail_url,omitempty"`
}

// bookVersion is one of the versions of a book.
type bookVersion struct {
	Number int       `json:"version"`
	Time   time.Time `json:"at"`
	By     string    `json:"by,omitempty"` // who has shared it
}

// rights states what the caller may do.
type rights struct {
	CanCorrect bool `json:"can_correct"`
	CanShare   bool `json:"can_share"`
}

// openLibrary returns what the caller sees.
func (s *Server) openLibrary(r *http.Request) (*library.View, error) {
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return nil, err
	}
	shared := id.Shared
	if !isLibrarian(id) {
		shared = shared.ReadOnly()
	}
	return s.o.Library.Open(id.User, shared)
}

// newRow returns the row of a book, with a grant to download its photo.
func (s *Server) newRow(ctx context.Context, v *library.View, b library.Book) (bookRow, error) {
	row := bookRow{
		ID: b.ID, Metadata: b.Metadata, Version: b.Version, Owner: "you", SharedVersion: b.SharedVersion,
		Accepted: b.Accepted, Changed: b.Changed, ThumbnailURL: thumbnailURL(b),
	}
	if b.Shared {
		row.Owner, row.SharedBy = "tenant", b.Versions[len(b.Versions)-1].By
	}
	ref, media, err := v.Photo(b)
	if err != nil || ref.IsZero() {
		return row, err
	}
	signer := s.o.Signer
	if b.Shared {
		signer = s.o.SharedSigner
	}
	if ref.Version() == "" {
		ref = ref.Unpinned() // an img element cannot send If-Match
	}
	grant, err := signer.Get(ctx, ref, &presign.GetOptions{Type: media, Inline: true})
	row.PhotoURL = grant.URL
	return row, err
}

func (s *Server) newRows(ctx context.Context, v *library.View, books []library.Book) ([]bookRow, error) {
	rows := make([]bookRow, 0, len(books))
	for _, b := range books {
		row, err := s.newRow(ctx, v, b)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// recentBooks is the number of books in an overview.
const recentBooks = 5

// serveOverview answers GET /api/bookshelf/overview with the numbers of books and the newest ones.
func (s *Server) serveOverview(w http.ResponseWriter, r *http.Request) error {
	v, err := s.openLibrary(r)
	if err != nil {
		return err
	}
	n, err := v.Count(r.Context())
	if err != nil {
		return err
	}
	page, err := v.List(r.Context(), &library.ListOptions{Limit: recentBooks})
	if err != nil {
		return err
	}
	rows, err := s.newRows(r.Context(), v, page.Books)
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{"own": n.Own, "shared": n.Shared, "capped": n.Capped, "recent": rows})
}

// serveCatalogue answers GET /api/bookshelf/catalogue with a page of the books, newest first.
func (s *Server) serveCatalogue(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	return s.servePage(w, r, q, &library.ListOptions{})
}

// serveSearch answers GET /api/bookshelf/search with a page of the books that match.
func (s *Server) serveSearch(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	if q.Get("query") == "" {
		return newProblem(http.StatusBadRequest, "The parameter query is missing.")
	}
	f := library.Field(q.Get("field"))
	if f == library.FieldISBN && book.LooksLikeISBN(q.Get("query")) {
		if _, err := book.ParseISBN(q.Get("query")); err != nil {
			return newProblem(http.StatusBadRequest, metadataDetail(err))
		}
	}
	switch f {
	case library.FieldAny, library.FieldTitle, library.FieldAuthor, library.FieldISBN:
		return s.servePage(w, r, q, &library.ListOptions{Text: q.Get("query"), Field: f})
	}
	return newProblem(http.StatusBadRequest, "The parameter field must be title, author or isbn.")
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request, q url.Values, o *library.ListOptions) (err error) {
	if o.Limit, err = parseLimit(q); err != nil {
		return err
	}
	if o.Cursor = q.Get("cursor"); q.Has("cursor") && o.Cursor == "" {
		return newProblem(http.StatusBadRequest, "The parameter cursor is empty.")
	}
	v, err := s.openLibrary(r)
	if err != nil {
		return err
	}
	page, err := v.List(r.Context(), o)
	switch {
	case errors.Is(err, library.ErrCursor):
		return newProblem(http.StatusBadRequest, "The parameter cursor is not valid for this list.")
	case errors.Is(err, library.ErrInvalid):
		return newProblem(http.StatusBadRequest,
			fmt.Sprintf("The parameter query is longer than %d characters.", library.MaxText))
	case err != nil:
		return err
	}
	rows, err := s.newRows(r.Context(), v, page.Books)
	if err != nil {
		return err
	}
	body := map[string]any{"books": rows, "count": len(rows)}
	if page.Next != "" {
		body["next"] = page.Next
	}
	return httpapi.WriteJSON(w, body)
}

// parseLimit returns the parameter limit, or 0.
func parseLimit(q url.Values) (int, error) {
	if !q.Has("limit") {
		return 0, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > library.MaxLimit || q.Get("limit") != strconv.Itoa(n) {
		return 0, newProblem(http.StatusBadRequest, "The parameter limit must be an integer from 1 to 100.")
	}
	return n, nil
}

// serveOrCorrectBook answers GET and PUT /api/bookshelf/{id}.
func (s *Server) serveOrCorrectBook(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return s.serveBook(w, r)
	}
	return s.correctBook(w, r)
}

// serveBook answers GET /api/bookshelf/{id} with a book and the times of its versions. With ?version=, the metadata are
// those of that version.
func (s *Server) serveBook(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	v, err := s.openLibrary(r)
	if err != nil {
		return err
	}
	b, err := v.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return bookError(err)
	}
	if q.Has("version") {
		n, err := strconv.Atoi(q.Get("version"))
		if err != nil || q.Get("version") != strconv.Itoa(n) {
			return newProblem(http.StatusBadRequest, "The parameter version must be an integer.")
		}
		if b.Metadata, err = v.Metadata(r.Context(), b, n); err != nil {
			return bookError(err)
		}
		b.Version = n
	}
	return s.writeBook(w, r, v, b)
}

func (s *Server) writeBook(w http.ResponseWriter, r *http.Request, v *library.View, b library.Book) error {
	row, err := s.newRow(r.Context(), v, b)
	if err != nil {
		return err
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	versions := make([]bookVersion, 0, len(b.Versions))
	for _, of := range b.Versions {
		versions = append(versions, bookVersion{of.Number, of.Time, of.By})
	}
	may := rights{CanCorrect: !b.Shared, CanShare: !b.Shared && isLibrarian(id)}
	return httpapi.WriteJSON(w, map[string]any{"book": row, "versions": versions, "rights": may})
}

// bookError describes why a book was not returned or changed.
func bookError(err error) error {
	if conflict, ok := errors.AsType[*library.ConflictError](err); ok {
		return newProblem(http.StatusConflict, fmt.Sprintf(
			"The book has been changed: its version is %d. Read it again.", conflict.Current.Version))
	}
	switch {
	case errors.Is(err, library.ErrNotFound):
		return errNoBook
	case errors.Is(err, library.ErrVersions):
		return newProblem(http.StatusConflict, "The book has too many versions. It cannot be corrected any more.")
	}
	return err
}
