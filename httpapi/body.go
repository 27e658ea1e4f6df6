package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/carrel-go/carrel/internal/strictjson"
)

// ReadBody returns the JSON body of a request, which has at most limit bytes. The error is a [*Problem]. It does not
// look into the body.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	isUTF8 := charset == "" || strings.EqualFold(charset, "utf-8")
	if err != nil || media != "application/json" || !isUTF8 {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "The body must not be encoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, isTooLarge := errors.AsType[*http.MaxBytesError](err); isTooLarge {
		detail := fmt.Sprintf("The body is longer than %d bytes.", limit)
		return nil, NewProblem(http.StatusRequestEntityTooLarge, detail)
	}
	if err != nil {
		return nil, NewProblem(http.StatusBadRequest, "The body is incomplete.")
	}
	return body, nil
}

// ReadFields reads a body like [ReadBody], which must be one strict JSON object, into the variables to which fields
// points. It rejects unknown names. A null value leaves its variable unchanged, as an absent one does. The error is a
// [*Problem].
func ReadFields(w http.ResponseWriter, r *http.Request, limit int64, fields map[string]any) error {
	body, err := ReadBody(w, r, limit)
	if err != nil {
		return err
	}
	v, err := strictjson.ParseObject(body)
	if err != nil {
		return NewProblem(http.StatusBadRequest, "The body is "+err.Error()+".")
	}
	for name, value := range v.Members() {
		into, ok := fields[name]
		if !ok {
			return NewProblem(http.StatusBadRequest, fmt.Sprintf("The body has the unknown field %.60q.", name))
		}
		if err := json.Unmarshal(value.Raw(), into); err != nil {
			return NewProblem(http.StatusBadRequest, fmt.Sprintf("The field %q has a value of the wrong type.", name))
		}
	}
	return nil
}

// WriteJSON writes v as the response, which is not cached. It does not escape & < >, so that URLs stay readable; the
// response must not be embedded in HTML. The error is that of the encoding, before anything is written, or
// [http.ErrAbortHandler] if the client has gone.
func WriteJSON(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if _, err := w.Write(b.Bytes()); err != nil {
		return http.ErrAbortHandler
	}
	return nil
}

// IdempotencyKey returns the header Idempotency-Key of a request, or "" if it does not have one. The error is a
// [*Problem] unless the key has 1 to 256 printable ASCII characters.
func IdempotencyKey(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	isUnprintable := func(c rune) bool { return c < '!' || c > '~' }
	if key := keys[0]; len(keys) == 1 && key != "" && len(key) <= 256 && !strings.ContainsFunc(key, isUnprintable) {
		return key, nil
	}
	return "", NewProblem(http.StatusBadRequest,
		"The header Idempotency-Key must have 1 to 256 printable ASCII characters and no spaces.")
}
