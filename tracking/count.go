package tracking

import (
	"context"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

// Counts holds the numbers of a user's or a tenant's records by class.
type Counts struct {
	All     int  `json:"all"` // the sum of the classes
	Active  int  `json:"active"`
	Waiting int  `json:"waiting"`
	Failed  int  `json:"failed"`
	Success int  `json:"success"`
	Capped  bool `json:"capped"` // a class may have more records than were counted
}

// Count counts the records of a user or a tenant. It makes one query for each
// class, which returns a number and not the rows. The counting of a class stops
// at 1,000 records, or when 10,000 rows have been looked at, some of which have
// expired or lie outside the scope; then Capped is set. Like a list, the numbers
// may be a moment old.
func (t *Tracker) Count(ctx context.Context, userOrTenant scope.Scope) (Counts, error) {
	var c Counts
	view, slot, err := t.indexView(userOrTenant)
	if err != nil {
		return c, opError("count", err)
	}
	counters := map[Class]*int{ClassActive: &c.Active, ClassWaiting: &c.Waiting, ClassFailed: &c.Failed,
		ClassSuccess: &c.Success}
	for _, class := range allClasses {
		n, capped, err := view.Count(ctx, table.Query{Slot: slot, Class: string(class)})
		if err != nil {
			return Counts{}, opError("count", err)
		}
		*counters[class] = n
		c.All += n
		c.Capped = c.Capped || capped
	}
	return c, nil
}
