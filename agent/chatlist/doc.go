// Package chatlist lists the chats of a user, so that a page can offer them.
//
//	list, err := chatlist.New(t)
//	err = list.Add(ctx, session, message)     // with each message; the first one becomes the title
//	page, err := list.Page(ctx, user, "", 20) // newest first, in order of their beginnings
//
// Use it beside package history, which keeps the messages of a chat: call [Store.Remove] where history.Store.Clean
// asks whether a conversation may be deleted. A user sees only the user's own list.
//
// The package owns the sort key "title#<session>" in the partition of a user. It does not keep messages, does not
// rename chats and does not know when a chat was last used.
package chatlist
