package chatlist_test

import (
	"context"
	"fmt"

	"github.com/carrel-go/carrel/agent/chatlist"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/table"
)

func Example() {
	ctx := context.Background()
	list := must.Get(chatlist.New(must.Get(table.New(table.NewMemory(nil), nil))))
	user := must.Get(must.Get(scope.Tenant("acme")).User("u1"))
	session := must.Get(user.NewSession())
	for _, message := range []string{"What do I have?", "And of these?"} { // the first one becomes the title
		if err := list.Add(ctx, session, message); err != nil {
			fmt.Println(err)
		}
	}
	for _, c := range must.Get(list.Page(ctx, user, "", 20)).Chats {
		fmt.Println(c.ID == session.SessionID(), c.Title)
	}
	if err := list.Remove(ctx, session); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(must.Get(list.Page(ctx, user, "", 20)).Chats))
	// Output:
	// true What do I have?
	// 0
}
