package objecttest

import (
	"fmt"
	"slices"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// checkNames checks that the store keeps every name that scope accepts.
func checkNames(b *bench) {
	var want []string
	for _, name := range []string{
		"plain.txt", "two words.txt", "a+b.txt", "a=b&c.txt", "it's \"quoted\".txt", "<tag>.txt",
		"semi;colon,comma.txt", "(1) [2] {3}.txt", "~tilde!@$^*.txt", "Ünïcödé.txt", "日本語.txt", "😀.txt", "no-extension",
	} {
		ref, _ := b.put(name, []byte(name), nil)
		b.requireBytes(ref, name)
		want = append(want, ref.Key())
	}
	slices.Sort(want)
	if got := b.listKeys(); !slices.Equal(got, want) {
		b.failf("listed %q, want %q", got, want)
	}
}

// checkList lists seven objects in pages of three, at every level, in order.
func checkList(b *bench) {
	other, shared, u2 := b.newSession(), b.sharedOf(), b.userOf("u10") // u1 is a prefix of its id
	byKey := map[string]object.Ref{}
	for s, files := range map[scope.Scope][]string{
		b.session: {"a.txt", "b.txt", "ab.txt"},
		other:     {"a.txt"},
		b.user:    {"profile.json"},
		u2:        {"profile.json"},
		shared:    {"terms.txt"},
	} {
		for _, name := range files {
			ref, _ := b.in(s).put(name, []byte(name), nil)
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
		checkListOf(b.in(s), byKey, want)
	}
}

// checkListOf checks that the root lists the wanted keys, with Refs that open the
// objects in stored.
func checkListOf(b *bench, stored map[string]object.Ref, want []string) {
	var got []string
	for ref, err := range b.root.List(b.ctx) {
		b.requireNoError(err, fmt.Sprintf("list of %v", b.root.Scope()))
		if put := stored[ref.Key()]; ref.Unpinned() != put.Unpinned() || ref.ETag() != "" && put.ETag() != "" && ref != put {
			b.failf("listed %v, want the stored %v", ref, put)
		}
		b.requireBytes(ref, ref.Name())
		got = append(got, ref.Key())
	}
	if !slices.Equal(got, want) {
		b.failf("in %v: listed %q, want %q", b.root.Scope(), got, want)
	}
}

// checkOtherScopes checks that through the Root of another scope an object does
// not exist.
func checkOtherScopes(b *bench) {
	ref, _ := b.put("a.txt", []byte("mine"), nil)
	foreign, err := scope.Tenant(b.tenant.TenantID() + "x")
	b.requireNoError(err, "tenant")
	for _, s := range []scope.Scope{b.newSession(), b.userOf("u2"), foreign} {
		in := b.in(s)
		_, _, put := in.root.Put(b.ctx, ref.Unpinned(), nil, &object.PutOptions{Overwrite: true})
		b.requireError("open in another scope", in.openError(ref, nil), object.ErrNotFound)
		b.requireError("stat in another scope", in.statError(ref), object.ErrNotFound)
		b.requireError("put in another scope", put, object.ErrOutside)
		b.requireError("delete in another scope", in.root.Delete(b.ctx, ref.Unpinned()), object.ErrNotFound)
		if got := in.listKeys(); len(got) > 0 {
			b.failf("in %v: listed %q, want no keys", s, got)
		}
	}
	b.requireBytes(ref, "mine")
}
