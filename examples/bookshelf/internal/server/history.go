package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// errForked is returned if another run has written the history in the meantime.
var errForked = errors.New("server: the session's history was written by another run")

// turns stores a session's history in the table: one item a turn, named "turn#000001" and so on, and never overwritten.
type turns struct{ view *table.View }

func (s *Server) turns(session scope.Scope) (turns, error) {
	view, err := s.o.Table.In(session)
	return turns{view}, err
}

func turnSort(n int) string { return fmt.Sprintf("turn#%06d", n) }

// load returns the whole history.
func (t turns) load(ctx context.Context) (agent.History, error) {
	var h agent.History
	q := table.Query{From: "turn#", To: "turn$", Consistent: true} // $ sorts after #
	for {
		page, err := t.view.Query(ctx, q)
		if err != nil {
			return agent.History{}, fmt.Errorf("server: history: %w", err)
		}
		for _, found := range page.Items {
			raw, _ := found.Item.Attr["turn"].(string)
			var turn agent.Turn
			if err := json.Unmarshal([]byte(raw), &turn); err != nil {
				return agent.History{}, fmt.Errorf("server: history: %s: %w", found.Item.Sort, err)
			}
			h.Turns = append(h.Turns, turn)
		}
		if page.Next == "" {
			return h, nil
		}
		q.Cursor = page.Next
	}
}

// ForgetHistory returns a function that deletes the history of a session whose record is gone.
func ForgetHistory(t *table.Table) func(ctx context.Context, session scope.Scope) error {
	return func(ctx context.Context, session scope.Scope) error {
		view, err := t.In(session)
		if err != nil {
			return fmt.Errorf("server: forget: %w", err)
		}
		q := table.Query{From: "turn#", To: "turn$"}
		for {
			page, err := view.Query(ctx, q)
			if err != nil {
				return fmt.Errorf("server: forget: %w", err)
			}
			for _, found := range page.Items {
				err := view.Delete(ctx, found.Item.Sort, table.Version(found.Item.Version))
				if _, changed := errors.AsType[*table.ConflictError](err); err != nil && !changed {
					return fmt.Errorf("server: forget: %w", err)
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return nil
			}
		}
	}
}

// append writes the turns after the first n. It returns errForked if another run has written one of them.
func (t turns) append(ctx context.Context, n int, fresh []agent.Turn) error {
	for i, turn := range fresh {
		raw, err := json.Marshal(turn)
		if err != nil {
			return fmt.Errorf("server: history: %w", err)
		}
		item := table.Item{Sort: turnSort(n + i + 1), Attr: map[string]table.Value{"turn": string(raw)}}
		_, err = t.view.Put(ctx, item, table.Absent())
		if conflict, ok := errors.AsType[*table.ConflictError](err); ok {
			if conflict.Current != nil && conflict.Current.Attr["turn"] == string(raw) {
				continue // written by an earlier try whose response was lost
			}
			return errForked
		}
		if err != nil {
			return fmt.Errorf("server: history: %w", err)
		}
	}
	return nil
}
