package mcp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

// The URIs of objects, relative to the caller: they name neither a tenant nor a user.
const (
	uriScheme  = "object://"
	ownPath    = "own/"     // of the caller's scope itself
	sharedPath = "shared/"  // of the tenant, if the caller may read it
	uploadPath = "session/" // of a session of the caller: the session's id follows
)

var errURI = errors.New("mcp: the URI does not name an object")

func isObjectURI(uri string) bool { return strings.HasPrefix(uri, uriScheme) }

// formatURI returns the URI of an object that the caller may read.
func formatURI(caller scope.Scope, ref object.Ref) (string, error) {
	name := url.PathEscape(ref.Name())
	switch owner := ref.Scope().ReadOnly(); {
	case owner == caller.ReadOnly():
		return uriScheme + ownPath + name, nil
	case owner.Level() == scope.SharedLevel:
		return uriScheme + sharedPath + name, nil
	case owner.Level() == scope.SessionLevel && caller.Level() == scope.UserLevel:
		return uriScheme + uploadPath + owner.SessionID() + "/" + name, nil
	}
	return "", fmt.Errorf("mcp: an object of %v does not have a URI for %v", ref.Scope(), caller)
}

// parseURI is the exact inverse of formatURI. shared may be the zero Scope. The object need not exist.
func parseURI(bucket *object.Bucket, caller, shared scope.Scope, uri string) (*object.Root, object.Ref, error) {
	path := strings.TrimPrefix(uri, uriScheme)
	place, escaped, _ := strings.Cut(path, "/")
	owner := caller
	switch place + "/" {
	case ownPath:
	case sharedPath:
		owner = shared
	case uploadPath:
		id, name, _ := strings.Cut(escaped, "/")
		session, err := caller.Session(id)
		if err != nil {
			return nil, object.Ref{}, errURI
		}
		owner, escaped = session, name
	default:
		return nil, object.Ref{}, errURI
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, object.Ref{}, errURI
	}
	root, err := bucket.In(owner.ReadOnly())
	if err != nil {
		return nil, object.Ref{}, errURI
	}
	ref, err := root.Ref(name)
	if err != nil {
		return nil, object.Ref{}, errURI
	}
	if back, err := formatURI(caller, ref); err != nil || back != uri {
		return nil, object.Ref{}, errURI
	}
	return root, ref, nil
}
