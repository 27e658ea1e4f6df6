package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/table"
)

const (
	planItem = "parts"
	planAttr = "plan"
)

// StorePlan keeps the plan of an upload in parts.
func (v *View) StorePlan(ctx context.Context, id string, m presign.Multipart) error {
	session, err := v.session(id)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("files: encode a plan: %w", err)
	}
	items, err := v.store.table.In(session)
	if err != nil {
		return fmt.Errorf("files: %w", err)
	}
	it := table.Item{Sort: planItem, Attr: map[string]table.Value{planAttr: string(raw)}}
	_, err = items.Put(ctx, it, table.Absent())
	if err != nil {
		return fmt.Errorf("files: store a plan: %w", err)
	}
	return nil
}

// Plan returns the plan of an upload in parts. It returns [ErrNotFound] if the upload is not one in parts.
func (v *View) Plan(ctx context.Context, id string) (m presign.Multipart, err error) {
	session, err := v.session(id)
	if err != nil {
		return m, err
	}
	items, err := v.store.table.In(session)
	if err != nil {
		return m, fmt.Errorf("files: %w", err)
	}
	it, err := items.Get(ctx, planItem)
	if errors.Is(err, table.ErrNotFound) {
		return m, ErrNotFound
	}
	if err != nil {
		return m, fmt.Errorf("files: read a plan: %w", err)
	}
	raw, _ := it.Attr[planAttr].(string)
	if err := json.Unmarshal([]byte(raw), &m); err != nil {
		return m, fmt.Errorf("files: %q is not a plan: %w", planItem, err)
	}
	return m, nil
}
