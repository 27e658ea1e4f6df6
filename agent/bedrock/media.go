package bedrock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/carrel-go/carrel/agent"
	objects "github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/tools"
)

// What one message may hold. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
const (
	maxImages        = 20
	maxImageBytes    = 3_750_000
	maxImageSide     = 8000
	maxDocuments     = 5
	maxDocumentBytes = 4_500_000

	// maxVideos is Amazon Nova's. The bytes are 25 MB in base64.
	// Source: https://docs.aws.amazon.com/nova/latest/userguide/modalities-video.html,
	// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_VideoSource.html
	maxVideos      = 1
	maxVideoBytes  = 18_750_000
	maxVideoObject = 1_000_000_000 // in S3

	// maxBody is the size of a request, in which bytes are a third longer.
	// Source: https://platform.claude.com/docs/en/api/overview#request-size-limits
	maxBody = 20_000_000

	besideDocuments = "See the document."
	besideVideo     = "See the video below."
)

// limits returns what a request may hold. The service counts documents by the request, and so do several of its models
// with images: some count the two together, and one that takes more than 20 wants them smaller.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html,
// https://github.com/boto/boto3/issues/4632,
// https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/994
func (m *Model) limits() agent.RequestLimits {
	l := agent.RequestLimits{
		ImageBytes: maxImageBytes, DocumentBytes: maxDocumentBytes, ImageSide: maxImageSide,
		Images: maxImages, Documents: maxDocuments, Media: maxImages, Bytes: maxBody / 4 * 3,
		Videos: maxVideos, VideoBytes: maxVideoBytes,
	}
	if m.o.S3Locations { // the request holds the places of objects, and not their bytes
		l.Bytes, l.VideoBytes = 0, maxVideoObject
	}
	return l
}

// loader is [agent.Request.Load].
type loader func(ctx context.Context, ref objects.Ref, max int64) ([]byte, error)

func (w *writer) image(m *tools.Media) (types.ImageBlock, error) {
	b := types.ImageBlock{Format: types.ImageFormat(m.Format)}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, invalid("%q is no format of an image: it is one of %v", m.Format, b.Format.Values())
	}
	data, place, err := w.source("image", m, maxImageBytes)
	switch {
	case err != nil:
		return b, err
	case place != nil:
		b.Source = &types.ImageSourceMemberS3Location{Value: *place}
	default:
		b.Source = &types.ImageSourceMemberBytes{Value: data}
	}
	return b, nil
}

// document gives it a name that says nothing: names must be unique in the request and keep a narrow grammar, and a
// file's own name could speak to the model. The numbers go by the order in the conversation, so that they stay the
// same as it grows.
func (w *writer) document(m *tools.Media) (types.DocumentBlock, error) {
	w.documents++
	b := types.DocumentBlock{
		Format: types.DocumentFormat(m.Format),
		Name:   aws.String(fmt.Sprintf("Document %d", w.documents)),
	}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, invalid("%q is no format of a document: it is one of %v", m.Format, b.Format.Values())
	}
	data, place, err := w.source("document", m, maxDocumentBytes)
	switch {
	case err != nil:
		return b, err
	case place != nil:
		b.Source = &types.DocumentSourceMemberS3Location{Value: *place}
	case w.cite && m.Format != pdf:
		b.Format, b.Source = types.DocumentFormatTxt, &types.DocumentSourceMemberText{Value: strings.ToValidUTF8(string(data), "\uFFFD")}
	default:
		b.Source = &types.DocumentSourceMemberBytes{Value: data}
	}
	if w.cite {
		b.Citations = &types.CitationsConfig{Enabled: aws.Bool(true)}
	}
	return b, nil
}

// video is not part of a tool's result on the wire, because no model takes one there: it stands beside the result, in
// the same message, which Amazon Nova accepts.
func (w *writer) video(m *tools.Media) (types.VideoBlock, error) {
	b := types.VideoBlock{Format: types.VideoFormat(m.Format)}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, invalid("%q is not a format of a video: must be one of %v", m.Format, b.Format.Values())
	}
	if w.videos++; w.videos > maxVideos {
		return b, tooMuch("%d videos in one request: the service takes %d", w.videos, maxVideos)
	}
	data, place, err := w.source("video", m, maxVideoBytes)
	switch {
	case err != nil:
		return b, err
	case place != nil:
		b.Source = &types.VideoSourceMemberS3Location{Value: *place}
	default:
		b.Source = &types.VideoSourceMemberBytes{Value: data}
	}
	return b, nil
}

// source returns the bytes or the place of a medium.
func (w *writer) source(what string, m *tools.Media, limit int64) ([]byte, *types.S3Location, error) {
	data, ref := m.Bytes, m.Object
	switch {
	case ref.IsZero() == (len(data) == 0):
		return nil, nil, invalid("the %s has not exactly one of bytes and an object", what)
	case ref.IsZero():
	case w.o.S3Locations:
		place := &types.S3Location{Uri: aws.String("s3://" + ref.Bucket() + "/" + ref.Key())}
		if w.o.BucketOwner != "" {
			place.BucketOwner = aws.String(w.o.BucketOwner)
		}
		return nil, place, nil
	case w.load == nil:
		return nil, nil, invalid("the %s is an object, and the request cannot read objects", what)
	default:
		var err error
		if data, err = w.load(w.ctx, ref, limit+1); err != nil { // one more, to tell what is cut from what fits
			return nil, nil, w.notLoaded(what, err)
		}
		if len(data) == 0 {
			return nil, nil, invalid("the %s is empty", what)
		}
	}
	if int64(len(data)) > limit {
		return nil, nil, tooMuch("the %s is larger than %d bytes", what, limit)
	}
	return data, nil, nil
}

// notLoaded says why there are no bytes. What the object is, or that it is not there, does not change by itself; a
// store that fails may recover.
func (w *writer) notLoaded(what string, err error) error {
	if e := w.ctx.Err(); e != nil {
		return e
	}
	if errors.Is(err, objects.ErrTooLarge) {
		return tooMuch("read the %s: %w", what, err)
	}
	for _, final := range []error{
		objects.ErrNotFound, objects.ErrChanged, objects.ErrDenied, objects.ErrInvalid, objects.ErrRange,
	} {
		if errors.Is(err, final) {
			return invalid("read the %s: %w", what, err)
		}
	}
	return &agent.ModelError{
		Code: agent.CodeUnavailable, Message: "A file for the model could not be read.", Retryable: true,
		Err: fmt.Errorf("bedrock: read the %s: %w", what, err),
	}
}

// withMedia holds a message of the user's against the service's limits, those in tool results included, and adds the
// text that the service wants beside documents.
func withMedia(blocks []types.ContentBlock) ([]types.ContentBlock, error) {
	images, documents := 0, 0
	said, beside := false, false
	for _, b := range blocks {
		switch b := b.(type) {
		case *types.ContentBlockMemberText:
			said = true
		case *types.ContentBlockMemberImage:
			images++
		case *types.ContentBlockMemberDocument:
			documents++
			beside = true
		case *types.ContentBlockMemberToolResult:
			for _, c := range b.Value.Content {
				switch c.(type) {
				case *types.ToolResultContentBlockMemberImage:
					images++
				case *types.ToolResultContentBlockMemberDocument:
					documents++
				}
			}
		}
	}
	switch {
	case images > maxImages:
		return nil, tooMuch("%d images in one message: the service takes %d", images, maxImages)
	case documents > maxDocuments:
		return nil, tooMuch("%d documents in one message: the service takes %d", documents, maxDocuments)
	case beside && !said:
		blocks = append(blocks, &types.ContentBlockMemberText{Value: besideDocuments})
	}
	return blocks, nil
}
