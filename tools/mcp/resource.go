package mcp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

const (
	// resourcePage is the number of resources on a page, and maxLooked that of the objects that are looked at for it.
	resourcePage = 100
	maxLooked    = 1000
	// cursorPrefix begins the cursors of objects, to tell them from those of Options.Features.
	cursorPrefix = "object:"
)

// openRoots returns the roots that the caller may read: their own, and that of the shared data.
func (s *server) openRoots(ctx context.Context, caller scope.Scope) ([]*object.Root, error) {
	own, err := s.o.Objects.In(caller.ReadOnly())
	if err != nil {
		return nil, err
	}
	shared := s.sharedScope(ctx, caller)
	if shared.Require() != nil || caller.Contains(shared) {
		return []*object.Root{own}, nil
	}
	more, err := s.o.Objects.In(shared)
	if err != nil {
		return nil, err
	}
	return []*object.Root{own, more}, nil
}

func (s *server) listResources(
	ctx context.Context, caller scope.Scope, req *sdk.ListResourcesRequest, next sdk.MethodHandler,
) (sdk.Result, error) {
	if caller.Level() == scope.TenantLevel {
		return nil, newParamsError("resources are those of a user: the token names a tenant only")
	}
	cursor := ""
	if req.Params != nil {
		cursor = req.Params.Cursor
	}
	roots, err := s.openRoots(ctx, caller)
	if err != nil {
		return nil, s.fail(ctx, "resources/list", err)
	}
	var after object.Ref
	if encoded, ok := bytes.CutPrefix([]byte(cursor), []byte(cursorPrefix)); ok {
		if roots, after, err = s.parseCursor(ctx, caller, roots, string(encoded)); err != nil {
			return nil, newParamsError("the cursor is not valid")
		}
	} else if cursor != "" {
		return next(ctx, "resources/list", req)
	}
	page, more, err := collectResources(ctx, caller, roots, after)
	if err != nil {
		return nil, s.fail(ctx, "resources/list", err)
	}
	if more != "" {
		return &sdk.ListResourcesResult{
			Cacheable: sdk.Cacheable{CacheScope: private}, Resources: page,
			NextCursor: cursorPrefix + base64.RawURLEncoding.EncodeToString([]byte(more)),
		}, nil
	}
	if req.Params != nil {
		p := *req.Params
		p.Cursor = ""
		req.Params = &p
	}
	found, err := next(ctx, "resources/list", req) // those of Options.Features follow
	if err != nil {
		return nil, err
	}
	list := found.(*sdk.ListResourcesResult)
	list.Resources = append(page, list.Resources...)
	return list, nil
}

// parseCursor returns the roots that are left to list, and the object after which the list continues. The cursor is a
// URI, so it can only name an object of the caller.
func (s *server) parseCursor(
	ctx context.Context, caller scope.Scope, roots []*object.Root, encoded string,
) ([]*object.Root, object.Ref, error) {
	uri, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || !isObjectURI(string(uri)) {
		return nil, object.Ref{}, errURI
	}
	_, after, err := parseURI(s.o.Objects, caller, s.sharedScope(ctx, caller), string(uri))
	if err != nil {
		return nil, object.Ref{}, err
	}
	for len(roots) > 1 && !roots[0].Scope().Contains(after.Scope()) {
		roots = roots[1:]
	}
	return roots, after, nil
}

// collectResources returns a page of resources, and the URI of the last object looked at if more may follow.
func collectResources(
	ctx context.Context, caller scope.Scope, roots []*object.Root, after object.Ref,
) ([]*sdk.Resource, string, error) {
	page, last, looked := []*sdk.Resource{}, "", 0
	for _, root := range roots {
		for l, err := range root.ListAfter(ctx, after) {
			if looked++; len(page) == resourcePage || looked > maxLooked && last != "" {
				return page, last, nil
			}
			if _, ok := errors.AsType[*object.KeyError](err); ok {
				continue // outside every scope
			}
			if err != nil {
				return nil, "", err
			}
			if last, err = formatURI(caller, l.Ref); err != nil {
				return nil, "", err
			}
			r := &sdk.Resource{URI: last, Name: l.Ref.Name(), Size: l.Info.Size}
			if !l.Info.Modified.IsZero() {
				r.Annotations = &sdk.Annotations{LastModified: l.Info.Modified.UTC().Format(time.RFC3339)}
			}
			page = append(page, r)
		}
		after = object.Ref{}
	}
	return page, "", nil
}

func (s *server) readResource(
	ctx context.Context, caller scope.Scope, req *sdk.ReadResourceRequest,
) (sdk.Result, error) {
	uri := req.Params.URI
	root, ref, err := parseURI(s.o.Objects, caller, s.sharedScope(ctx, caller), uri)
	if err != nil {
		return nil, newNotFoundError(uri)
	}
	body, info, err := root.Open(ctx, ref, nil)
	if errors.Is(err, object.ErrNotFound) {
		return nil, newNotFoundError(uri)
	}
	if err != nil {
		return nil, s.fail(ctx, "resources/read", err)
	}
	defer func() { _ = body.Close() }()
	if info.Size > s.o.MaxResource {
		return nil, newParamsError("The resource has %d bytes, and at most %d can be read.", info.Size, s.o.MaxResource)
	}
	data, err := io.ReadAll(io.LimitReader(body, s.o.MaxResource))
	if err == nil && int64(len(data)) != info.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, s.fail(ctx, "resources/read", err)
	}
	contents := &sdk.ResourceContents{URI: uri, MIMEType: info.Type}
	if len(data) > 0 && utf8.Valid(data) && !bytes.ContainsRune(data, 0) {
		contents.Text = string(data)
	} else {
		contents.Blob = data
	}
	var res sdk.ReadResourceResult
	if req.ProtocolVersion() >= version2026 {
		res = s.completeRead
	}
	res.CacheScope, res.Contents = private, []*sdk.ResourceContents{contents}
	return &res, nil
}

// newNotFoundError is the answer for an object that does not exist or that the caller may not read.
func newNotFoundError(uri string) error {
	data, err := json.Marshal(map[string]string{"uri": uri})
	if err != nil {
		return errInternal
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "Resource not found", Data: data}
}
