package photo

import (
	"bufio"
	"errors"
	"io"
)

// header contains the properties of an image file.
type header struct {
	format        string // "PNG" or "JPEG"
	width, height int
	memory        int64 // upper bound of the bytes that Go's decoder allocates
}

var (
	errEmpty   = errors.New("the file is empty")
	errFormat  = errors.New("neither PNG nor JPEG")
	errVariant = errors.New("unsupported variant")
)

// readHeader reads enough of r to estimate the memory of decoding. If whole is set, it reads to the end of the image
// and rejects data that would make the estimate wrong.
//
// It returns errEmpty, errFormat, errVariant (wrapped) or an error of r. Any other error, for example
// io.ErrUnexpectedEOF, means that the file is damaged.
func readHeader(r io.Reader, whole bool) (header, error) {
	b := bufio.NewReader(r)
	start, err := b.Peek(8)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return header{}, errEmpty
	case err != nil && !errors.Is(err, io.EOF):
		return header{}, err
	case string(start) == pngSignature:
		h, err := readPNG(b)
		h.format = "PNG"
		return h, toUnexpectedEOF(err)
	case len(start) >= 3 && string(start[:3]) == jpegSignature:
		h, err := readJPEG(b, whole)
		h.format = "JPEG"
		return h, toUnexpectedEOF(err)
	}
	return header{}, errFormat
}

// toUnexpectedEOF converts io.EOF to io.ErrUnexpectedEOF, since a complete file does not end in its header.
func toUnexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
