package booktools

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/tools"
)

// Limits of the result of read_cover.
const (
	MaxLines = 60  // lines, and doubtful ones
	MaxLine  = 200 // runes in each
)

const (
	maxOCROutput = 256 << 10 // bytes of the longest accepted output of the program, which has a line for each word
	ocrSide      = 2400      // pixels of the longer side of the program's input
	ocrMemory    = 64 << 20  // memory in bytes of reading text, including the program

	enoughLetters = 6 // letters after which the photo is not turned to find more
)

// CoverText is the result of read_cover.
type CoverText struct {
	Available bool     `json:"available"`          // whether a program that reads text is installed
	Lines     []string `json:"lines,omitempty"`    // from top to bottom, with an empty line between paragraphs
	Doubtful  []string `json:"doubtful,omitempty"` // lines that are probably misread; Lines does not have them
	Turned    int      `json:"turned,omitempty"`   // degrees by which the photo was turned clockwise to read it
	Cut       bool     `json:"cut,omitempty"`      // whether Lines or Doubtful is truncated
	Note      string   `json:"note,omitempty"`     // a hint for the reader of the result
}

// Summary implements [tools.Summarizer].
func (t CoverText) Summary() string {
	n := 0
	for _, l := range t.Lines {
		if l != "" {
			n++
		}
	}
	switch {
	case !t.Available:
		return "no OCR program is installed"
	case n == 0:
		return "no text found"
	case n == 1:
		return "1 line of text"
	}
	return fmt.Sprintf("%d lines of text", n)
}

func (b *toolbox) readCover(ctx context.Context, c *tools.Call, _ struct{}) (CoverText, error) {
	program := b.tesseract
	if program == "" {
		p, err := exec.LookPath("tesseract")
		if err != nil {
			const note = "tesseract is not installed on this machine, so the text on the cover was not read."
			return CoverText{Note: note}, nil //nolint:nilerr // the result reports it
		}
		program = p
	}
	img, err := b.loadPhoto(ctx, c)
	if err != nil {
		return CoverText{}, err
	}
	return b.readDirections(ctx, c, program, img)
}

// readDirections reads the photo as it is. If that finds hardly any text, it also reads the photo turned by one, two
// and three quarters, and returns the text with the most letters that are read with confidence. Each direction is a
// piece of work, so that other tenants have their turns in between. All turned ones together may take as long as one.
func (b *toolbox) readDirections(
	ctx context.Context, c *tools.Call, program string, img *image.Gray,
) (CoverText, error) {
	best, letters, err := b.readTurned(ctx, c, program, img, 0)
	if err != nil || letters >= enoughLetters {
		return best, err
	}
	limit := fmt.Errorf("it took longer than %v", b.ocrTimeout)
	turned, cancel := context.WithTimeoutCause(ctx, b.ocrTimeout, limit)
	defer cancel()
	for quarters := 1; quarters < 4; quarters++ {
		text, n, err := b.readTurned(turned, c, program, img, quarters)
		if turned.Err() != nil && ctx.Err() == nil {
			best.Note = strings.TrimSpace(best.Note + " The photo was not read in all directions, since that took too long.")
			break
		}
		if err != nil {
			return CoverText{}, err
		}
		if n > letters {
			best, letters = text, n
		}
	}
	return best, nil
}

// readTurned reads the photo turned clockwise by a number of quarters. It also returns the number of letters in the
// lines.
func (b *toolbox) readTurned(
	ctx context.Context, c *tools.Call, program string, img *image.Gray, quarters int,
) (out CoverText, letters int, err error) {
	err = b.photos.Do(ctx, c.Scope(), ocrMemory, func() error {
		table, err := b.runTesseract(ctx, program, img, quarters)
		if err == nil {
			out, letters, err = parseCoverText(table)
		}
		if err != nil {
			return fmt.Errorf("booktools: tesseract: %w", err)
		}
		return nil
	})
	out.Turned = 90 * quarters
	return out, letters, err
}

// runTesseract runs the program on the photo, turned clockwise by a number of quarters, and returns its table of words.
// The photo is encoded again in gray, so that the program never reads the uploaded file. Time, output and environment
// are limited. The program has ended when runTesseract returns.
func (b *toolbox) runTesseract(ctx context.Context, program string, img *image.Gray, quarters int) (string, error) {
	img, err := photo.Shrink(ctx, img, ocrSide)
	if err != nil {
		return "", err
	}
	var in bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&in, photo.Turn(img, quarters)); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.ocrTimeout, fmt.Errorf("it took longer than %v", b.ocrTimeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "stdin", "stdout", "-c", "tessedit_create_tsv=1")
	cmd.Stdin = &in
	var stdout, stderr limitedBuffer
	stdout.limit, stderr.limit = maxOCROutput, 1<<10
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for children that keep the pipes open
	cmd.Env = []string{"OMP_THREAD_LIMIT=1"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "SYSTEMROOT"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	if stdout.isTruncated {
		return "", fmt.Errorf("the output is too long: at most %d bytes are read", maxOCROutput)
	}
	return stdout.String(), nil
}

// limitedBuffer keeps the first bytes that are written to it, up to a limit, and discards the rest. The buffer is not
// embedded, since its ReadFrom would bypass the limit.
type limitedBuffer struct {
	buf         bytes.Buffer
	limit       int
	isTruncated bool
}

func (b *limitedBuffer) String() string { return b.buf.String() }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.limit-b.buf.Len())]
	b.isTruncated = b.isTruncated || len(kept) < len(p)
	b.buf.Write(kept)
	return len(p), nil
}
