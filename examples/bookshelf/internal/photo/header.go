package photo

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// header contains the properties of an image file.
type header struct {
	format        string // one of the formats in kinds.go
	width, height int
	memory        int64 // upper bound of the bytes that the decoder allocates
}

var (
	errEmpty   = errors.New("the file is empty")
	errFormat  = errors.New("not a PNG, JPEG or WebP")
	errVariant = errors.New("unsupported variant")
)

// readHeader reads enough of r to estimate the memory of decoding. If whole is set, it reads to the end of the image
// and rejects data that would make the estimate wrong.
//
// It returns errEmpty, errFormat (then the format is the name of the kind, if it is known), errVariant (wrapped) or an
// error of r. Any other error, for example io.ErrUnexpectedEOF, means that the file is damaged.
func readHeader(r io.Reader, whole bool) (header, error) {
	b := bufio.NewReader(r)
	start, err := b.Peek(64)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return header{}, errEmpty
	case err != nil && !errors.Is(err, io.EOF):
		return header{}, err
	case bytes.HasPrefix(start, []byte(pngSignature)):
		h, err := readPNG(b)
		h.format = formatPNG
		return h, toUnexpectedEOF(err)
	case bytes.HasPrefix(start, []byte(jpegSignature)):
		h, err := readJPEG(b, whole)
		h.format = formatJPEG
		return h, toUnexpectedEOF(err)
	case isWebP(start):
		h, err := readWebP(b)
		h.format = formatWebP
		return h, toUnexpectedEOF(err)
	}
	return header{format: foreignKind(start)}, errFormat
}

// toUnexpectedEOF converts io.EOF to io.ErrUnexpectedEOF, since a complete file does not end in its header.
func toUnexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
