package objecttest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// checkNames checks that the store keeps every name that scope accepts.
func checkNames(ctx context.Context, b *bench) error {
	all := []string{
		"plain.txt", "two words.txt", "a+b.txt", "a=b&c.txt", "it's \"quoted\".txt", "<tag>.txt",
		"semi;colon,comma.txt", "(1) [2] {3}.txt", "~tilde!@$^*.txt", "Ünïcödé.txt", "日本語.txt", "😀.txt", "no-extension",
	}
	var want []string
	for _, name := range all {
		ref, _, err := b.put(ctx, name, []byte(name), nil)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if err := wantBytes(ctx, b.root, ref, nil, []byte(name), int64(len(name))); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		want = append(want, ref.Key())
	}
	slices.Sort(want)
	got, err := listKeys(ctx, b.root)
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("listed %q, want %q", got, want)
	}
	return nil
}

// checkList lists seven objects in pages of three, at every level, in order.
func checkList(ctx context.Context, b *bench) error {
	other, err := b.user.NewSession()
	if err != nil {
		return err
	}
	u2, err := b.tenant.User("u10") // u1 is a prefix of its id
	if err != nil {
		return err
	}
	shared, err := b.tenant.Shared()
	if err != nil {
		return err
	}
	stored := map[scope.Scope][]string{
		b.session: {"a.txt", "b.txt", "ab.txt"},
		other:     {"a.txt"},
		b.user:    {"profile.json"},
		u2:        {"profile.json"},
		shared:    {"terms.txt"},
	}
	byKey := map[string]object.Ref{}
	for s, files := range stored {
		in := *b
		if in.root, err = b.bucket.In(s); err != nil {
			return err
		}
		for _, name := range files {
			ref, _, err := in.put(ctx, name, []byte(name), nil)
			if err != nil {
				return err
			}
			byKey[ref.Key()] = ref
		}
	}
	for _, s := range []scope.Scope{b.tenant, b.user, b.session, other, u2, shared} {
		var want []string
		for key, ref := range byKey {
			if s.Contains(ref.Scope()) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		if err := checkListOf(ctx, b, s, byKey, want); err != nil {
			return fmt.Errorf("in %v: %w", s, err)
		}
	}
	return nil
}

// checkListOf checks that the list of s has the wanted keys, with Refs that open the
// objects in stored.
func checkListOf(ctx context.Context, b *bench, s scope.Scope, stored map[string]object.Ref, want []string) error {
	root, err := b.bucket.In(s)
	if err != nil {
		return err
	}
	var got []string
	for ref, err := range root.List(ctx) {
		if err != nil {
			return err
		}
		if put := stored[ref.Key()]; ref.Unpinned() != put.Unpinned() || ref.ETag() != "" && put.ETag() != "" && ref != put {
			return fmt.Errorf("listed %v, want the stored %v", ref, put)
		}
		if err := wantBytes(ctx, root, ref, nil, []byte(ref.Name()), int64(len(ref.Name()))); err != nil {
			return fmt.Errorf("through a listed Ref: %w", err)
		}
		got = append(got, ref.Key())
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("listed %q, want %q", got, want)
	}
	return nil
}

// checkOtherScopes checks that through the Root of another scope an object does
// not exist.
func checkOtherScopes(ctx context.Context, b *bench) error {
	ref, _, err := b.put(ctx, "a.txt", []byte("mine"), nil)
	if err != nil {
		return err
	}
	sibling, err := b.user.NewSession()
	if err != nil {
		return err
	}
	u2, err := b.tenant.User("u2")
	if err != nil {
		return err
	}
	foreign, err := scope.Tenant(b.tenant.TenantID() + "x")
	if err != nil {
		return err
	}
	for _, s := range []scope.Scope{sibling, u2, foreign} {
		root, err := b.bucket.In(s)
		if err != nil {
			return err
		}
		_, _, open := root.Open(ctx, ref, nil)
		_, _, stat := root.Stat(ctx, ref)
		_, _, put := root.Put(ctx, ref.Unpinned(), nil, &object.PutOptions{Overwrite: true})
		if err := errors.Join(
			wantErr("open", open, object.ErrNotFound),
			wantErr("stat", stat, object.ErrNotFound),
			wantErr("put", put, object.ErrOutside),
			wantErr("delete", root.Delete(ctx, ref.Unpinned()), object.ErrNotFound),
		); err != nil {
			return fmt.Errorf("in %v: %w", s, err)
		}
		got, err := listKeys(ctx, root)
		if err != nil {
			return err
		}
		if len(got) > 0 {
			return fmt.Errorf("in %v: listed %q, want no keys", s, got)
		}
	}
	return wantBytes(ctx, b.root, ref, nil, []byte("mine"), 4)
}

func listKeys(ctx context.Context, root *object.Root) ([]string, error) {
	var all []string
	for ref, err := range root.List(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, ref.Key())
	}
	return all, nil
}
