package intaketools

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/carrel-go/carrel/examples/intake/internal/files"
	"github.com/carrel-go/carrel/tools/objecttools"
)

// digest is the digest of the values of a table, which does not depend on its encoding.
type digest struct{ hash hash.Hash }

func newDigest(columns []string) *digest {
	d := &digest{sha256.New()}
	for _, name := range columns {
		d.write([]byte(name))
	}
	return d
}

func (d *digest) write(b []byte) {
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(b)))
	_, _ = d.hash.Write(size[:])
	_, _ = d.hash.Write(b)
}

// add adds a row. A row that cannot be read counts by its place and size.
func (d *digest) add(row *objecttools.Row) {
	var head [16]byte
	binary.LittleEndian.PutUint64(head[:8], uint64(row.Count))
	if row.Problem != "" || row.Cut {
		binary.LittleEndian.PutUint64(head[8:], uint64(row.End-row.Offset))
	}
	_, _ = d.hash.Write(head[:])
	for _, f := range row.Fields {
		d.write(f)
	}
	d.write(row.Record)
}

func (d *digest) text() string { return hex.EncodeToString(d.hash.Sum(nil)[:16]) }

// noteSameContent adds a note to a report if another file that the person can see has the same content.
func noteSameContent(ctx context.Context, v *files.View, id string, r *files.Report) error {
	cursor := ""
	for range maxScanned {
		page, err := v.List(ctx, cursor, listLimit)
		if err != nil {
			return err
		}
		for _, f := range page.Files {
			if f.ID != id && f.Report != nil && f.Report.Digest == r.Digest {
				r.Notes = append(r.Notes, fmt.Sprintf("%.100q has the same content and was taken in before, so a question about "+
					"both counts its rows twice", f.Name))
				return nil
			}
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
	return nil
}

// sameNotes returns sentences about listed files that have the same content.
func sameNotes(list []files.File) (notes []string) {
	first := map[string]string{} // names by digest
	for i := range list {
		r := list[i].Report
		if r == nil || r.Digest == "" || r.Profile.Rows == 0 {
			continue
		}
		name, ok := first[r.Digest]
		if !ok {
			first[r.Digest] = list[i].Name
			continue
		}
		notes = append(notes, fmt.Sprintf("%.100q and an older file %.100q have the same content, so a question about both "+
			"counts their rows twice", name, list[i].Name))
	}
	return notes
}
