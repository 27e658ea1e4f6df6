package object_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func exampleSession() scope.Scope {
	tenant, _ := scope.Tenant("acme")
	user, _ := tenant.User("u1")
	s, _ := user.Session("0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f")
	return s
}

func Example() {
	ctx := context.Background()
	bucket, err := object.New(object.NewMemory(), "carrel-raw", nil)
	if err != nil {
		panic(err)
	}
	root, err := bucket.In(exampleSession())
	if err != nil {
		panic(err)
	}
	ref, err := root.Ref("metadata.json")
	if err != nil {
		panic(err)
	}
	stored, _, err := root.Put(ctx, ref, strings.NewReader(`{"title":"Moby-Dick"}`), nil)
	if err != nil {
		panic(err)
	}
	_, _, err = root.Put(ctx, ref, strings.NewReader(`{"title":"Emma"}`), nil)
	fmt.Println("again:", errors.Is(err, object.ErrExists))

	r, info, err := root.Open(ctx, stored, &object.Range{Off: 10, Len: 9})
	if err != nil {
		panic(err)
	}
	defer r.Close()
	part, _ := io.ReadAll(r)
	fmt.Printf("%s of %d bytes\n", part, info.Size)
	// Output:
	// again: true
	// Moby-Dick of 21 bytes
}

func ExampleBucket_In() {
	bucket, err := object.New(object.NewMemory(), "carrel-raw", nil)
	if err != nil {
		panic(err)
	}
	root, err := bucket.In(exampleSession())
	if err != nil {
		panic(err)
	}
	_, err = root.Ref("../../tenant=globex/secret.txt")
	fmt.Println(err)

	_, err = bucket.In(scope.Scope{})
	fmt.Println(err)
	// Output:
	// object: ref: scope: invalid file name "../../tenant=globex/secret.txt": has a path separator
	// object: in: scope: denied: the zero scope
}

func ExampleRoot_ParseRef() {
	bucket, _ := object.New(object.NewMemory(), "carrel-raw", nil)
	root, _ := bucket.In(exampleSession())
	ref, _ := root.Ref("metadata.json")
	stored, _ := json.Marshal(ref)
	fmt.Println(string(stored))

	back, err := root.ParseRef(stored)
	fmt.Println(back == ref, err)

	_, err = root.ParseRef([]byte(`{"bucket":"carrel-raw","key":"tenant=globex/shared/secret.txt"}`))
	fmt.Println(err)
	// Output:
	// {"bucket":"carrel-raw","key":"tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/metadata.json"}
	// true <nil>
	// object: parse ref: not found
}

func ExampleRoot_List() {
	ctx := context.Background()
	bucket, _ := object.New(object.NewMemory(), "carrel-raw", nil)
	root, _ := bucket.In(exampleSession())
	for _, name := range []string{"b.txt", "a.txt"} {
		ref, _ := root.Ref(name)
		if _, _, err := root.Put(ctx, ref, strings.NewReader(name), nil); err != nil {
			panic(err)
		}
	}
	for ref, err := range root.List(ctx) {
		if err != nil {
			panic(err)
		}
		fmt.Println(ref.Name())
	}
	// Output:
	// a.txt
	// b.txt
}

func ExampleRoot_Copy() {
	ctx := context.Background()
	bucket, _ := object.New(object.NewMemory(), "carrel-raw", nil)
	root, _ := bucket.In(exampleSession())
	draft, _ := root.Ref("draft.json")
	final, _ := root.Ref("metadata.json")
	draft, _, err := root.Put(ctx, draft, strings.NewReader(`{"title":"Emma"}`), nil)
	if err != nil {
		panic(err)
	}
	_, info, err := root.Copy(ctx, draft, final, nil) // what draft is pinned to, write once
	fmt.Println(info.Size, err)
	_, _, err = root.Copy(ctx, draft, final, nil)
	fmt.Println("again:", errors.Is(err, object.ErrExists))
	// Output:
	// 16 <nil>
	// again: true
}

func ExampleRoot_FS() {
	ctx := context.Background()
	bucket, _ := object.New(object.NewMemory(), "carrel-raw", nil)
	session, _ := bucket.In(exampleSession())
	ref, _ := session.Ref("metadata.json")
	if _, _, err := session.Put(ctx, ref, strings.NewReader(`{"title":"Emma"}`), nil); err != nil {
		panic(err)
	}
	tenant, _ := scope.Tenant("acme")
	u1, _ := tenant.User("u1")
	user, _ := bucket.In(u1)
	err := fs.WalkDir(user.FS(ctx), ".", func(path string, _ fs.DirEntry, err error) error {
		fmt.Println(path)
		return err
	})
	if err != nil {
		panic(err)
	}
	data, err := fs.ReadFile(session.FS(ctx), "metadata.json")
	fmt.Println(string(data), err)
	// Output:
	// .
	// uploads
	// uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f
	// uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/metadata.json
	// {"title":"Emma"} <nil>
}
