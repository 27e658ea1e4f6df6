package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/presign/arrivals"
	"github.com/carrel-go/carrel/scope"
)

// grace is how long after the end of a grant its upload may still be in flight.
const grace = 15 * time.Minute

// grantUpload answers GET /api/upload/presigned: it makes a session, its record and a grant to upload one file.
func (s *Server) grantUpload(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	name, put, err := putOptions(q)
	if err != nil {
		return err
	}
	labels, err := displayLabels(q, name)
	if err != nil {
		return err
	}
	session, err := callerOf(r).NewSession()
	if err != nil {
		return err
	}
	grant, err := s.o.Signer.Put(r.Context(), session, name, put)
	switch {
	case errors.Is(err, scope.ErrInvalid):
		return newProblem(http.StatusBadRequest, nameDetail(err))
	case errors.Is(err, presign.ErrInvalid):
		return newProblem(http.StatusBadRequest, "No upload can be granted for these parameters.")
	case err != nil:
		return err
	}
	upload := arrivals.Upload{
		Filename: name, Size: put.Size, SHA256: put.SHA256, Expires: grant.Expires, Due: grant.Expires.Add(s.o.Grace),
		Labels: labels,
	}
	if err := s.admitUpload(r.Context(), session, upload); err != nil {
		return err
	}
	return httpapi.WriteJSON(w, map[string]any{
		"url": grant.URL, "method": grant.Method, "headers": grant.Headers, "key": grant.Key, "bucket": grant.Bucket,
		"session_id": session.SessionID(), "expires_at": grant.Expires.UTC().Format(time.RFC3339),
	})
}

// admitUpload takes one of the user's open grants, then makes the upload's record. Both precede the response, so that
// every grant is tracked.
func (s *Server) admitUpload(ctx context.Context, session scope.Scope, upload arrivals.Upload) error {
	if s.o.Admission != nil {
		if err := s.o.Admission.OpenGrant(ctx, session, upload.Expires); err != nil {
			return err
		}
	}
	_, err := s.o.Arrivals.Expect(ctx, session, upload)
	if err != nil && s.o.Admission != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		err = errors.Join(err, s.o.Admission.CloseGrant(ctx, session))
	}
	return err
}

// putOptions reads the query. content_type, size and sha256 are optional and signed only if given. They are checked
// again when the file has arrived, and so is the maximum size.
func putOptions(q url.Values) (name string, put *presign.PutOptions, err error) {
	if name = q.Get("filename"); name == "" {
		return "", nil, newProblem(http.StatusBadRequest, "The parameter filename is missing.")
	}
	put = &presign.PutOptions{AllowUnsized: true}
	if q.Has("content_type") {
		media, _, err := mime.ParseMediaType(q.Get("content_type"))
		if err != nil || media != "image/png" && media != "image/jpeg" && media != "image/webp" {
			return "", nil, newProblem(http.StatusBadRequest,
				"The parameter content_type must be image/jpeg, image/png or image/webp.")
		}
		put.Type = q.Get("content_type")
	}
	if q.Has("size") {
		n, err := strconv.ParseInt(q.Get("size"), 10, 64)
		if err != nil || n <= 0 || q.Get("size") != strconv.FormatInt(n, 10) {
			return "", nil, newProblem(http.StatusBadRequest, "The parameter size must be a number of bytes, one or more.")
		}
		if n > MaxUpload {
			detail := fmt.Sprintf("The file is larger than %d MB.", MaxUpload>>20)
			return "", nil, newProblem(http.StatusRequestEntityTooLarge, detail)
		}
		put.Size = n
	}
	if q.Has("sha256") {
		sum, err := base64.StdEncoding.Strict().DecodeString(q.Get("sha256"))
		if err != nil || len(sum) != 32 {
			return "", nil, newProblem(http.StatusBadRequest, "The parameter sha256 must be a base64 encoding of 32 bytes.")
		}
		put.SHA256 = sum
	}
	return name, put, nil
}

// displayLabel is the label of a record that has the name of the file as the person knows it, if it differs from the
// name in the key. It is untrusted text.
const displayLabel = "display_name"

// displayLabels returns the labels of an upload: display_name, if it is given and differs from the file name.
func displayLabels(q url.Values, name string) (map[string]string, error) {
	if !q.Has("display_name") {
		return nil, nil
	}
	const limit = 256 // bytes of a label
	shown := q.Get("display_name")
	isUnseen := func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError
	}
	if shown == "" || len(shown) > limit || strings.ContainsFunc(shown, isUnseen) {
		return nil, newProblem(http.StatusBadRequest, fmt.Sprintf("The parameter display_name must have 1 to %d bytes of "+
			"UTF-8 without control characters, line breaks and marks that change the direction of text.", limit))
	}
	if shown == name {
		return nil, nil
	}
	return map[string]string{displayLabel: shown}, nil
}

// nameDetail describes why a file name was rejected.
func nameDetail(err error) string {
	if e, ok := errors.AsType[*scope.InvalidError](err); ok {
		return fmt.Sprintf("The file name %.80q %s.", e.Value, e.Reason)
	}
	return "The file name is invalid."
}
