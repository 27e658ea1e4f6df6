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
	"unicode"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/photo"
	"github.com/carrel-go/carrel/tools"
)

// Limits of the result of read_cover.
const (
	MaxLines = 60  // lines
	MaxLine  = 200 // runes in each
)

const (
	maxOCROutput = 64 << 10 // bytes of the longest accepted output of the program
	ocrSide      = 2400     // pixels of the longer side of the program's input
	ocrMemory    = 64 << 20 // memory in bytes of reading text, including the program
)

// CoverText is the result of read_cover.
type CoverText struct {
	Available bool     `json:"available"`       // whether a program that reads text is installed
	Lines     []string `json:"lines,omitempty"` // from top to bottom, with an empty line between paragraphs
	Cut       bool     `json:"cut,omitempty"`   // whether Lines is truncated
	Note      string   `json:"note,omitempty"`  // a hint for the reader of the result
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
	var out CoverText
	err := b.withPhoto(ctx, c, ocrMemory, func(img *image.Gray) error {
		text, err := b.runTesseract(ctx, program, img)
		if err != nil {
			return fmt.Errorf("booktools: tesseract: %w", err)
		}
		out = parseCoverText(text)
		return nil
	})
	return out, err
}

// runTesseract runs the program on the photo and returns its output. The photo is encoded again in gray, so that the
// program never reads the uploaded file. Time, output and environment are limited. The program has ended when
// runTesseract returns.
func (b *toolbox) runTesseract(ctx context.Context, program string, img *image.Gray) (string, error) {
	img, err := photo.Shrink(ctx, img, ocrSide)
	if err != nil {
		return "", err
	}
	var in bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&in, img); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.ocrTimeout, fmt.Errorf("it took longer than %v", b.ocrTimeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "stdin", "stdout")
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

// parseCoverText splits the program's output into lines, up to the limits. It removes invalid UTF-8 and control
// characters, and leaves one space between words and one empty line between paragraphs.
func parseCoverText(text string) CoverText {
	out := CoverText{Available: true}
	text = strings.ToValidUTF8(text, "")
	gap := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\f", "\n")) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				return ' '
			}
			return r
		}, line)
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			gap = len(out.Lines) > 0
			continue
		}
		if len(out.Lines)+2 > MaxLines {
			out.Cut = true
			break
		}
		if gap {
			out.Lines = append(out.Lines, "")
			gap = false
		}
		if r := []rune(line); len(r) > MaxLine {
			line, out.Cut = string(r[:MaxLine]), true
		}
		out.Lines = append(out.Lines, line)
	}
	if len(out.Lines) == 0 {
		out.Note = "No text was found on the cover."
	}
	return out
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
