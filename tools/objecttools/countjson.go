package objecttools

import (
	"errors"
	"io"
)

// placeCost is the cost of a jsonPlace without its path.
const placeCost = 110

// addStructure adds the nodes of the shape that fit.
func (d *description) addStructure(shape *jsonShape, left *budget) {
	leftOut := shape.leftOut
	for _, node := range shape.nodes {
		if node.count == 0 {
			continue
		}
		if !left.take(jsonCost(node.path) + placeCost) {
			leftOut++
			continue
		}
		d.Structure = append(d.Structure, jsonPlace{Path: node.path, Types: node.types.names(), Count: node.count})
	}
	if leftOut > 0 {
		d.Notes.add("the structure is incomplete: it is deeper or wider than fits")
	}
}

func (n *counts) countJSON(t *textReader, shape *jsonShape, out *description) error {
	s := &jsonScanner{t: t, shape: shape}
	err := s.scanDocument()
	if err == nil {
		if _, err = s.skipSpace(); err == nil {
			err = s.syntaxError("more text after the value; perhaps the file is JSON Lines")
		}
	}
	n.off = s.offset()
	if e, ok := errors.AsType[*jsonError](err); ok {
		out.addProblem(rowProblem{Offset: e.at, What: "invalid JSON: " + e.msg})
		return nil
	}
	switch {
	case errors.Is(err, io.EOF):
		n.off = t.to
		if shape.nodes[rootNode].count == 0 {
			out.addProblem(rowProblem{Offset: t.file.start, What: "invalid JSON: the file contains only white space"})
		}
		return nil
	case errors.Is(err, errPartEnd):
		return nil
	}
	return err
}

func (n *counts) countRecords(t *textReader, shape *jsonShape, out *description) error {
	s := &jsonScanner{t: t, shape: shape, oneLine: true}
	begin := t.off
	for {
		b, err := s.skipSpace()
		start := s.offset()
		n.off = start
		if err == nil && b == '\n' {
			s.i++
			n.off = s.offset()
			continue
		}
		if err == nil {
			err = n.countRecord(s, b, out)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			n.off = t.to
			return nil
		case errors.Is(err, errPartEnd):
			if n.off = start; start == begin && s.offset() > start { // this record is all that a call reads: skip the part
				n.off = s.offset()
				n.rows++
				n.malformed++
				out.Notes.add("row %d at byte %d does not end within the bytes that one call reads: it is counted as malformed, "+
					"and so is its rest", n.rows, start)
			}
			return nil
		default:
			return err
		}
	}
}

// countRecord scans a record that begins with b, up to the end of its line. A malformed record is counted and reported.
func (n *counts) countRecord(s *jsonScanner, b byte, out *description) error {
	err := s.scanRoot(b)
	if err == nil {
		if b, err = s.skipSpace(); err == nil && b != '\n' {
			err = s.syntaxError("more text after the value")
		}
	}
	if e, ok := errors.AsType[*jsonError](err); ok {
		n.malformed++
		out.addProblem(rowProblem{Row: n.rows + 1, Offset: e.at, What: "invalid JSON: " + e.msg})
		err = s.skipLine()
	}
	if err == nil || errors.Is(err, io.EOF) {
		n.rows++
	}
	return err
}
