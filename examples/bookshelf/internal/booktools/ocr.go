package booktools

import (
	"bytes"
	"context"
	"errors"
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
	maxOCROutput = 64 << 10 // bytes of the program's output that are read
	ocrSide      = 2400     // pixels of the longer side of the program's input
	ocrMemory    = 64 << 20 // memory in bytes of reading text, including the program
)

// CoverText is the result of read_cover.
type CoverText struct {
	Available bool     `json:"available"`       // a program that reads text is installed
	Lines     []string `json:"lines,omitempty"` // from top to bottom, with an empty line between paragraphs
	Cut       bool     `json:"cut,omitempty"`   // Lines is truncated
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
			return CoverText{Note: "tesseract is not installed on this machine, so the text on the cover was not read."}, nil //nolint:nilerr // said in the result
		}
		program = p
	}
	var out CoverText
	err := b.work(ctx, c, ocrMemory, func(img *image.Gray) error {
		text, err := b.ocr(ctx, program, img)
		if err != nil {
			return fmt.Errorf("booktools: tesseract: %w", err)
		}
		out = coverText(text)
		return nil
	})
	return out, err
}

// ocr runs the program on the photo. The photo is drawn anew in gray, so that the program never reads the file itself.
// Time, output and environment are limited, and the program has ended when ocr returns.
func (b *toolbox) ocr(ctx context.Context, program string, img *image.Gray) (string, error) {
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
	var stdout, stderr head
	stdout.room, stderr.room = maxOCROutput, 1<<10
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
	if stdout.full {
		return "", errors.New("the output is too long")
	}
	return stdout.String(), nil
}

// coverText cleans the program's output: UTF-8 without control characters, one space between words, one empty line
// between paragraphs, within the limits.
func coverText(text string) CoverText {
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

// head keeps the beginning of the written bytes and discards the rest. The buffer is not embedded, since its ReadFrom
// would bypass the limit.
type head struct {
	kept bytes.Buffer
	room int
	full bool
}

func (h *head) String() string { return h.kept.String() }

func (h *head) Write(p []byte) (int, error) {
	keep := p
	if len(keep) > h.room {
		keep, h.full = keep[:h.room], true
	}
	h.room -= len(keep)
	h.kept.Write(keep)
	return len(p), nil
}
