package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/credential"
	"github.com/carrel-go/carrel/scope/table"
	"github.com/carrel-go/carrel/scope/table/dynamo"
)

// throughGate returns a client whose requests pass the gate.
func throughGate(c aws.CredentialsProvider) *dynamodb.Client { return dynamodbClient(world.gate, c) }

// tableFor returns the table. It uses the credentials of one scope for all scopes.
func tableFor(t *testing.T, c aws.CredentialsProvider) *table.Table {
	t.Helper()
	driver, err := dynamo.New(throughGate(c), world.table, nil)
	require.NoError(t, err)
	return must.Get(table.New(driver, nil))
}

// The test reads the variable so that cached results of the package depend on it.
func TestGateUsesTheNamedStore(t *testing.T) {
	t.Parallel()
	require.Equal(t, slices.Contains(stores, backend.Kind(os.Getenv(backend.Variable))), world.store)
	_ = os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")
}

// needStore skips a test of the store's responses if there is only the gate.
// TestMain has printed this.
func needStore(t *testing.T) {
	t.Helper()
	if !world.store {
		t.SkipNow()
	}
}

// purposeAt returns the purpose that a server's dynamo.Options.For requests.
// Sessions do not have lists.
func purposeAt(s scope.Scope) credential.Purpose {
	if s.Level() == scope.SessionLevel {
		return credential.Tracker
	}
	return credential.Tracker | credential.Listing
}

// With credentials of a scope, all operations of a View work in that scope's
// partition and, above a session, in its index partitions. The server denies
// them in every other partition, also of scopes above and below.
func TestTrackerAccessesOnlyItsPartition(t *testing.T) {
	for _, holder := range allScopes() {
		tb := tableFor(t, newVendor(t).Provider(holder, purposeAt(holder)))
		for _, target := range allScopes() {
			view, err := tb.In(target)
			require.NoError(t, err)
			for name, op := range viewOperations(view) {
				err := op(t.Context())
				switch {
				case holder != target:
					require.ErrorIs(t, err, dynamo.ErrDenied, "%s: credentials of %v, at %v", name, holder, target)
				case world.store:
					require.NoError(t, err, "%s: credentials of %v", name, holder)
				default: // the blank store is empty
					require.NotErrorIs(t, err, dynamo.ErrDenied, "%s: credentials of %v", name, holder)
				}
			}
			if target.Level() != scope.SessionLevel {
				continue
			}
			for name, q := range indexQueries(view) {
				require.ErrorIs(t, q(t.Context()), dynamo.ErrDenied, "%s: credentials of %v, at %v", name, holder, target)
			}
		}
	}
}

var itemCount int

func viewOperations(view *table.View) map[string]func(context.Context) error {
	itemCount++
	sort := fmt.Sprintf("item-%d", itemCount)
	ops := map[string]func(context.Context) error{
		"put, get, conflict, replace, delete": func(ctx context.Context) error {
			it, err := view.Put(ctx, table.Item{Sort: sort, Attr: map[string]table.Value{"a": "b"}}, table.Absent())
			if err != nil {
				return err
			}
			if got, err := view.Get(ctx, sort); err != nil || got.Attr["a"] != "b" {
				return fmt.Errorf("get: %v, %w", got, err)
			}
			if _, err := view.Put(ctx, table.Item{Sort: sort}, table.Absent()); err == nil {
				return fmt.Errorf("a second put succeeded")
			}
			if it, err = view.Put(ctx, it, table.Version(it.Version)); err != nil {
				return err
			}
			return view.Delete(ctx, sort, table.Version(it.Version))
		},
		"get": func(ctx context.Context) error {
			_, err := view.Get(ctx, "nothing")
			if errors.Is(err, table.ErrNotFound) {
				return nil
			}
			return err
		},
		"query": func(ctx context.Context) error {
			_, err := view.Query(ctx, table.Query{From: "a", To: "z", Consistent: true})
			return err
		},
		"count": func(ctx context.Context) error {
			_, _, err := view.Count(ctx, table.Query{})
			return err
		},
		"delete": func(ctx context.Context) error {
			err := view.Delete(ctx, "nothing", table.Version(1))
			if _, ok := errors.AsType[*table.ConflictError](err); ok {
				return nil
			}
			return err
		},
	}
	if view.Scope().Level() != scope.SessionLevel {
		for name, q := range indexQueries(view) {
			ops[name] = q
		}
	}
	return ops
}

func indexQueries(view *table.View) map[string]func(context.Context) error {
	qs := map[string]func(context.Context) error{}
	for _, slot := range []table.Slot{table.I1, table.I2} {
		for _, class := range newResources().Classes {
			qs[fmt.Sprintf("list %s of index %d", class, slot)] = func(ctx context.Context) error {
				_, err := view.Query(ctx, table.Query{Slot: slot, Class: class, Desc: true})
				return err
			}
			qs[fmt.Sprintf("count %s of index %d", class, slot)] = func(ctx context.Context) error {
				_, _, err := view.Count(ctx, table.Query{Slot: slot, Class: class})
				return err
			}
		}
	}
	return qs
}

// Another class or index is denied even in the own scope.
func TestListingAllowsOnlyItsClasses(t *testing.T) {
	for _, s := range allScopes() {
		if s.Level() == scope.SessionLevel {
			continue
		}
		view := must.Get(tableFor(t, newVendor(t).Provider(s, credential.Listing)).In(s))
		_, err := view.Query(t.Context(), table.Query{Slot: table.I1, Class: "active"})
		require.NoError(t, err)
		_, err = view.Query(t.Context(), table.Query{Slot: table.I1, Class: "secret"})
		require.ErrorIs(t, err, dynamo.ErrDenied)
		_, err = view.Query(t.Context(), table.Query{Slot: table.I3, Class: "active"})
		require.ErrorIs(t, err, dynamo.ErrDenied)
		_, err = view.Query(t.Context(), table.Query{})
		require.ErrorIs(t, err, dynamo.ErrDenied, "Listing does not allow the base partition")
		_, err = view.Put(t.Context(), table.Item{Sort: "x"}, table.Absent())
		require.ErrorIs(t, err, dynamo.ErrDenied)
	}
}

func TestConflictReturnsTheItemUnderAPolicy(t *testing.T) {
	needStore(t)
	s := u1s1
	view := must.Get(tableFor(t, newVendor(t).Provider(s, credential.Tracker)).In(s))
	first, err := view.Put(t.Context(), table.Item{Sort: "conflict", Attr: map[string]table.Value{"a": int64(1)}}, table.Absent())
	require.NoError(t, err)
	_, err = view.Put(t.Context(), table.Item{Sort: "conflict"}, table.Absent())
	var conflict *table.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, first, *conflict.Current)
}

// IAM checks only the base partition, so a session can write the index attributes
// of another tenant in its own row. The library checks listed rows again.
func TestForgedIndexAttributesAreNotListed(t *testing.T) {
	needStore(t)
	mine, theirs := u1s1, globex
	index := must.Get(theirs.Index(theirs.Level(), "active"))
	_, err := throughGate(newVendor(t).Provider(mine, credential.Tracker)).PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &world.table,
		Item: map[string]types.AttributeValue{
			"pk": stringValue(mine.Partition()), "sk": stringValue("forged"), "v": &types.AttributeValueMemberN{Value: "1"},
			"i2p": stringValue(index), "i2s": stringValue("0000"), "filename": stringValue("buy this"),
		},
	})
	require.NoError(t, err)
	view := must.Get(tableFor(t, newVendor(t).Provider(theirs, credential.Listing)).In(theirs))
	page, err := view.Query(t.Context(), table.Query{Slot: table.I2, Class: "active"})
	require.NoError(t, err)
	for _, found := range page.Items {
		require.NotEqual(t, "forged", found.Item.Sort)
	}
	n, _, err := view.Count(t.Context(), table.Query{Slot: table.I2, Class: "active"})
	require.NoError(t, err)
	require.Equal(t, len(page.Items), n)
}
