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

// Limits of one message. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
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

	// maxBody is the largest request in bytes, including base64.
	// Source: https://platform.claude.com/docs/en/api/overview#request-size-limits
	maxBody = 20_000_000

	documentText = "See the document."
	videoText    = "See the video below."
)

// requestLimits returns the limits of a request. The service counts the documents of a whole request, and several
// models count the images too: some count both together, and one accepts only smaller images if there are more than 20.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html,
// https://github.com/boto/boto3/issues/4632,
// https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/994
func (m *Model) requestLimits() agent.RequestLimits {
	l := agent.RequestLimits{
		ImageBytes: maxImageBytes, DocumentBytes: maxDocumentBytes, ImageSide: maxImageSide,
		Images: maxImages, Documents: maxDocuments, Media: maxImages, Bytes: maxBody / 4 * 3,
		Videos: maxVideos, VideoBytes: maxVideoBytes,
	}
	if m.o.S3Locations { // the request contains locations, not bytes
		l.Bytes, l.VideoBytes = 0, maxVideoObject
	}
	return l
}

// loader is [agent.Request.Load].
type loader func(ctx context.Context, ref objects.Ref, max int64) ([]byte, error)

func (w *writer) writeImage(m *tools.Media) (types.ImageBlock, error) {
	b := types.ImageBlock{Format: types.ImageFormat(m.Format)}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, newInvalidError("invalid image format %q: must be one of %v", m.Format, b.Format.Values())
	}
	data, place, err := w.readSource("image", m, maxImageBytes)
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

// writeDocument names a document by its number in the conversation. Names must be unique in the request and follow a
// narrow grammar, and a file's name could contain instructions to the model.
func (w *writer) writeDocument(m *tools.Media) (types.DocumentBlock, error) {
	w.documents++
	b := types.DocumentBlock{
		Format: types.DocumentFormat(m.Format),
		Name:   aws.String(fmt.Sprintf("Document %d", w.documents)),
	}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, newInvalidError("invalid document format %q: must be one of %v", m.Format, b.Format.Values())
	}
	data, place, err := w.readSource("document", m, maxDocumentBytes)
	switch {
	case err != nil:
		return b, err
	case place != nil:
		b.Source = &types.DocumentSourceMemberS3Location{Value: *place}
	case w.cite && m.Format != pdf:
		b.Format = types.DocumentFormatTxt
		b.Source = &types.DocumentSourceMemberText{Value: strings.ToValidUTF8(string(data), "\uFFFD")}
	default:
		b.Source = &types.DocumentSourceMemberBytes{Value: data}
	}
	if w.cite {
		b.Citations = &types.CitationsConfig{Enabled: aws.Bool(true)}
	}
	return b, nil
}

// writeVideo returns the block of a video. A video of a result is sent beside the result, in the same message, which
// Amazon Nova accepts; no model accepts it within.
func (w *writer) writeVideo(m *tools.Media) (types.VideoBlock, error) {
	b := types.VideoBlock{Format: types.VideoFormat(m.Format)}
	if !slices.Contains(b.Format.Values(), b.Format) {
		return b, newInvalidError("invalid video format %q: must be one of %v", m.Format, b.Format.Values())
	}
	if w.videos++; w.videos > maxVideos {
		return b, newLimitError("%d videos in one request: the service takes %d", w.videos, maxVideos)
	}
	data, place, err := w.readSource("video", m, maxVideoBytes)
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

// readSource returns the bytes or the place of a medium.
func (w *writer) readSource(what string, m *tools.Media, limit int64) ([]byte, *types.S3Location, error) {
	data, ref := m.Bytes, m.Object
	switch {
	case ref.IsZero() == (len(data) == 0):
		return nil, nil, newInvalidError("the %s must have either bytes or an object", what)
	case ref.IsZero():
	case ref.Key() == "":
		return nil, nil, newInvalidError("the %s is an unresolved object: must be resolved through a Root", what)
	case w.o.S3Locations:
		place := &types.S3Location{Uri: aws.String("s3://" + ref.Bucket() + "/" + ref.Key())}
		if w.o.BucketOwner != "" {
			place.BucketOwner = aws.String(w.o.BucketOwner)
		}
		return nil, place, nil
	case w.load == nil:
		return nil, nil, newInvalidError("the %s is an object, and the request cannot read objects", what)
	default:
		var err error
		if data, err = w.load(w.ctx, ref, limit+1); err != nil { // one more byte shows that the limit is exceeded
			return nil, nil, w.mapLoadError(what, err)
		}
		if len(data) == 0 {
			return nil, nil, newInvalidError("the %s is empty", what)
		}
	}
	if int64(len(data)) > limit {
		return nil, nil, newLimitError("the %s is larger than %d bytes", what, limit)
	}
	return data, nil, nil
}

// mapLoadError maps an error of Request.Load. An object that is missing or unsuitable is final; other errors are
// retryable, because the store may recover.
func (w *writer) mapLoadError(what string, err error) error {
	if e := w.ctx.Err(); e != nil {
		return e
	}
	if errors.Is(err, objects.ErrTooLarge) {
		return newLimitError("read the %s: %w", what, err)
	}
	for _, final := range []error{
		objects.ErrNotFound, objects.ErrChanged, objects.ErrDenied, objects.ErrInvalid, objects.ErrRange,
	} {
		if errors.Is(err, final) {
			return newInvalidError("read the %s: %w", what, err)
		}
	}
	return newRetryableError(agent.CodeUnavailable, "A file for the model could not be read.",
		fmt.Errorf("bedrock: read the %s: %w", what, err))
}

// completeMedia checks the media of a user's message, including those in tool results, against the service's limits,
// and adds the text that the service requires beside documents.
func completeMedia(blocks []types.ContentBlock) ([]types.ContentBlock, error) {
	images, documents := 0, 0
	hasText, hasDocument := false, false
	for _, b := range blocks {
		switch b := b.(type) {
		case *types.ContentBlockMemberText:
			hasText = true
		case *types.ContentBlockMemberImage:
			images++
		case *types.ContentBlockMemberDocument:
			documents++
			hasDocument = true
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
		return nil, newLimitError("%d images in one message: the service takes %d", images, maxImages)
	case documents > maxDocuments:
		return nil, newLimitError("%d documents in one message: the service takes %d", documents, maxDocuments)
	case hasDocument && !hasText:
		blocks = append(blocks, &types.ContentBlockMemberText{Value: documentText})
	}
	return blocks, nil
}
