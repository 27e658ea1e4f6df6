package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/book"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/library"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tracking"
)

const (
	settleTime  = 20 * time.Second // for the writes of an accept, which its cancellation must not stop
	acceptLease = 30 * time.Second // longer than an accept can take: settleTime and endTime
	endTime     = 5 * time.Second  // to record how an accept ended, even if a store hangs
)

// errAcceptedElsewhere is the answer if another accept has taken the stage.
var errAcceptedElsewhere = newProblem(
	http.StatusConflict, "This upload is being accepted by another request. Try again.",
).WithHeader("Retry-After", "1")

// acceptKey returns the idempotency key of an accept: equal metadata has an equal key. It never equals a run's key.
func acceptKey(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

func isAcceptKey(key string) bool {
	raw, err := hex.DecodeString(key)
	return err == nil && len(raw) == sha256.Size
}

// acceptMetadata answers POST /api/metadata/accept: it writes metadata.json and ends the record. It spans two stores,
// so each step can be repeated. It holds the stage while it writes the object. It creates the object, or replaces
// exactly the version that it has read. If a crash leaves the stage behind, the next accept takes it when its lease has
// expired.
func (s *Server) acceptMetadata(w http.ResponseWriter, r *http.Request) error {
	var id string
	var raw json.RawMessage
	if err := readBody(w, r, map[string]any{"session_id": &id, "metadata": &raw}); err != nil {
		return err
	}
	if id == "" {
		return newProblem(http.StatusBadRequest, "The field session_id is missing.")
	}
	if raw == nil {
		return newProblem(http.StatusBadRequest, "The field metadata is missing.")
	}
	meta, err := book.Decode(raw)
	if err != nil {
		return newMetadataProblem(err)
	}
	session, rec, err := s.findRecord(r, id)
	if err != nil {
		return err
	}
	// Continue if the client disconnects now, so that the accept is not left half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), settleTime)
	defer cancel()
	saved, err := s.saveMetadata(ctx, session, rec, meta)
	if err != nil {
		return err
	}
	if err := s.o.Library.Add(ctx, session); err != nil { // the next list adds it
		s.o.Log.ErrorContext(ctx, "accept: put the book on the shelf", "scope", session.String(), "err", err)
	}
	return httpapi.WriteJSON(w, map[string]string{
		"status": "accepted", "saved_key": saved, "upload_id": session.SessionID(),
	})
}

// newMetadataProblem returns the problem of metadata that was rejected.
func newMetadataProblem(err error) *problem {
	p := newProblem(http.StatusBadRequest, metadataDetail(err))
	if e, ok := errors.AsType[*book.FieldError](err); ok {
		p.Members = map[string]any{"field": e.Field}
	}
	return p
}

// metadataDetail describes why metadata was rejected.
func metadataDetail(err error) string {
	if e, ok := errors.AsType[*book.FieldError](err); ok {
		return fmt.Sprintf("The field %q %s.", e.Field, e.Reason)
	}
	if e, ok := errors.AsType[*book.FormError](err); ok {
		return upperFirst(e.Error()) + "."
	}
	return "At least one field of the metadata must be set."
}

// saveMetadata stores the metadata and returns its key.
func (s *Server) saveMetadata(
	ctx context.Context, session scope.Scope, rec tracking.Record, meta book.Metadata,
) (string, error) {
	canonical := meta.Canonical()
	key := acceptKey(canonical)
	if saved, err, decided := findOutcome(rec, key); decided {
		return saved, err
	}
	if err := checkAcceptable(session, rec.Stage(tracking.Enrichment)); err != nil {
		return "", err
	}
	attempt, err := s.claimForAccept(ctx, session, key)
	if err != nil {
		if state, ok := errors.AsType[*tracking.StateError](err); ok {
			if saved, err, decided := findOutcome(state.Record, key); decided { // by another accept, just now
				return saved, err
			}
		}
		return "", newClaimProblem(err)
	}
	s.setTitle(attempt, meta)
	dest, err := s.storeMetadata(ctx, session, attempt, canonical)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	switch {
	case errors.Is(err, tracking.ErrFenced):
		return explainFenced(err, key)
	case errors.Is(err, object.ErrChanged):
		return "", errAcceptedElsewhere
	case err != nil:
		s.o.Log.ErrorContext(ctx, "accept: store the metadata", "scope", session.String(), "err", err)
		f := &tracking.Error{
			Code: "store_failed", Message: "The metadata could not be stored. Accept it again.", Retryable: true, Err: err,
		}
		if err := attempt.Fail(ctx, f); err != nil {
			s.o.Log.ErrorContext(ctx, "accept: record the failure", "scope", session.String(), "err", err)
		}
		return "", newProblem(http.StatusServiceUnavailable, f.Message).WithHeader("Retry-After", "1")
	}
	if err := attempt.Complete(ctx, dest); err != nil {
		if errors.Is(err, tracking.ErrFenced) {
			return explainFenced(err, key)
		}
		return "", err
	}
	return dest.Key(), nil
}

// explainFenced answers an accept under this key that has lost the stage: to an accept or a cancel that has ended the
// record, or to an accept in flight.
func explainFenced(err error, key string) (saved string, _ error) {
	if state, ok := errors.AsType[*tracking.StateError](err); ok {
		if saved, err, decided := findOutcome(state.Record, key); decided {
			return saved, err
		}
	}
	return "", errAcceptedElsewhere
}

// findOutcome returns the outcome of an accept under this key if the record has ended: success if the same metadata was
// accepted before, otherwise a conflict. It reports false if the record has not ended.
func findOutcome(rec tracking.Record, key string) (saved string, err error, decided bool) {
	st := rec.Stage(tracking.Enrichment)
	switch {
	case st.State == tracking.StateSuccess && st.Key == key:
		return st.Destination.Key, nil, true
	case st.State == tracking.StateSuccess:
		return "", newProblem(http.StatusConflict, "Other metadata has been accepted for this upload."), true
	case rec.Terminal && rec.Reason == "cancelled":
		return "", newProblem(http.StatusConflict, "The upload has been cancelled and cannot be accepted."), true
	case rec.Terminal:
		return "", newProblem(http.StatusConflict, "The upload has failed permanently and cannot be accepted."), true
	}
	return "", nil, false
}

// storeMetadata announces the book to the shelf, and creates the object, or replaces the one that an unfinished accept
// has left.
func (s *Server) storeMetadata(
	ctx context.Context, session scope.Scope, attempt *tracking.Attempt, canonical []byte,
) (object.Ref, error) {
	if err := s.o.Library.Announce(ctx, session); err != nil {
		return object.Ref{}, err
	}
	root, err := s.o.Raw.In(session)
	if err != nil {
		return object.Ref{}, err
	}
	ref, err := root.Ref(library.AcceptedName)
	if err != nil {
		return object.Ref{}, err
	}
	put := &object.PutOptions{Type: "application/json", Size: int64(len(canonical))}
	done, _, err := root.Put(ctx, ref, bytes.NewReader(canonical), put)
	if !errors.Is(err, object.ErrExists) {
		return done, err
	}
	there, info, err := root.Stat(ctx, ref)
	if err != nil {
		return object.Ref{}, err
	}
	if same, err := hasContent(ctx, root, there, info, canonical); err != nil || same {
		return there, err
	}
	// The ETag was read while the heartbeat proves that this accept holds the stage. Any earlier writer is gone or
	// fenced, and a later write of theirs fails this write's If-Match.
	if err := attempt.Heartbeat(ctx); err != nil {
		return object.Ref{}, err
	}
	put.IfMatch = info.ETag
	done, _, err = root.Put(ctx, ref, bytes.NewReader(canonical), put)
	return done, err
}

// hasContent reports whether the object's content equals b.
func hasContent(ctx context.Context, root *object.Root, ref object.Ref, info object.Info, want []byte) (bool, error) {
	if info.Size != int64(len(want)) {
		return false, nil
	}
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = body.Close() }()
	got, err := io.ReadAll(io.LimitReader(body, int64(len(want))+1))
	return bytes.Equal(got, want), err
}
