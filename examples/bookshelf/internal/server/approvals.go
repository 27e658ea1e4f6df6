package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/httpapi"
	"github.com/carrel-go/carrel/scope/oidc"
)

// maxReason is the longest reason of a decision in bytes.
const maxReason = 1000

// decideApproval answers POST /api/runs/{run}/approvals/{approval} with the run that continues after the decision.
func (s *Server) decideApproval(w http.ResponseWriter, r *http.Request) error {
	var isApproved *bool
	var reason string
	if err := readBody(w, r, map[string]any{"approved": &isApproved, "reason": &reason}); err != nil {
		return err
	}
	if isApproved == nil {
		return newProblem(http.StatusBadRequest, "The field approved is missing.")
	}
	if len(reason) > maxReason {
		return newProblem(http.StatusBadRequest, fmt.Sprintf("The field reason is longer than %d bytes.", maxReason))
	}
	id, err := oidc.FromContext(r.Context())
	if err != nil {
		return err
	}
	run, err := s.decide(r.Context(), id, r.PathValue("run"), agent.Decision{
		Approval: r.PathValue("approval"), Approved: *isApproved, Reason: reason,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", eventsPath(run))
	return httpapi.WriteJSON(w, map[string]string{"status": "decided", "run_id": run})
}

// decide records the caller's decisions on calls for which a run waits, and returns the id of the run that continues
// it.
func (s *Server) decide(ctx context.Context, id oidc.Identity, run string, ds ...agent.Decision) (string, error) {
	if _, err := s.runs.Get(ctx, id.User, run); err != nil {
		return "", err
	}
	if err := checkDecisions(isLibrarian(id), ds); err != nil {
		return "", err
	}
	next, err := s.runs.DecideAll(ctx, id.User, run, id.User.UserID(), ds...)
	if err != nil {
		return "", chatError(err)
	}
	return next.ID, nil
}
