package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// mediaTypes are the media types of the formats of tools.Media.
var mediaTypes = map[string]string{
	"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
	"pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
	"doc": "application/msword", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"mkv": "video/x-matroska", "mov": "video/quicktime", "mp4": "video/mp4", "webm": "video/webm", "flv": "video/x-flv",
	"mpeg": "video/mpeg", "mpg": "video/mpeg", "wmv": "video/x-ms-wmv", "three_gp": "video/3gpp",
}

// encodeResult returns the result of a call in the protocol's form, or a failed result that says why it cannot be sent.
func (s *server) encodeResult(
	ctx context.Context, caller scope.Scope, req *sdk.CallToolRequest, r tools.Result,
) *sdk.CallToolResult {
	version := req.ProtocolVersion()
	res := s.newResult(version)
	res.IsError, res.Content = r.IsError, []sdk.Content{}
	var size int64
	var value json.RawMessage
	values := 0
	for i, b := range r.Blocks {
		size += int64(len(b.Text) + len(b.JSON))
		switch {
		case b.JSON != nil:
			value, values = b.JSON, values+1
			res.Content = append(res.Content, &sdk.TextContent{Text: string(b.JSON)})
		case b.Image == nil && b.Document == nil && b.Video == nil:
			res.Content = append(res.Content, &sdk.TextContent{Text: b.Text})
		default:
			c, n, err := s.encodeMedia(ctx, caller, b, i)
			if err != nil {
				s.o.Logger.WarnContext(ctx, "mcp: a result cannot be sent", "tool", req.Params.Name, "scope", caller, "err", err)
				return s.failedResult(req, "The tool has returned an object that cannot be sent.")
			}
			size += n
			res.Content = append(res.Content, c)
		}
	}
	if size > s.o.MaxResult {
		text := fmt.Sprintf("The result has %d bytes, and at most %d can be sent. Ask for less.", size, s.o.MaxResult)
		return s.failedResult(req, text)
	}
	// A result has one structured content, and it is an object for clients of older versions.
	if values == 1 && (version >= version2026 || isObject(value)) {
		res.StructuredContent = value
	}
	return res
}

func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}

// encodeMedia returns a medium, and its size in the result. An object is a link to the caller's resource.
func (s *server) encodeMedia(
	ctx context.Context, caller scope.Scope, b tools.Block, index int,
) (sdk.Content, int64, error) {
	m := b.Image
	if m == nil {
		m = b.Document
	}
	if m == nil {
		m = b.Video
	}
	kind := mediaTypes[m.Format]
	if m.Object.IsZero() {
		if b.Image != nil {
			return &sdk.ImageContent{Data: m.Bytes, MIMEType: kind}, int64(len(m.Bytes)), nil
		}
		uri := fmt.Sprintf("result://%d.%s", index, m.Format)
		embedded := &sdk.ResourceContents{URI: uri, MIMEType: kind, Blob: m.Bytes}
		return &sdk.EmbeddedResource{Resource: embedded}, int64(len(m.Bytes)), nil
	}
	if s.o.Objects == nil {
		return nil, 0, errors.New("objects are not served")
	}
	roots, err := s.openRoots(ctx, caller)
	if err != nil {
		return nil, 0, err
	}
	_, ref, err := object.Resolve(m.Object, roots...)
	if err != nil {
		return nil, 0, err
	}
	uri, err := formatURI(caller, ref)
	if err != nil {
		return nil, 0, err
	}
	return &sdk.ResourceLink{URI: uri, Name: ref.Name(), MIMEType: kind}, 0, nil
}
