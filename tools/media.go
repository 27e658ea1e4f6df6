package tools

import "github.com/carrel-go/carrel/scope/object"

// Media is an image or a document for a model: its bytes, or an object that holds them, one of the two.
type Media struct {
	// Format is what the bytes are. Of an image: png, jpeg, gif or webp. Of a document: pdf, csv, doc, docx, xls, xlsx,
	// html, txt or md.
	Format string
	Bytes  []byte
	// Object is where the bytes are. Whoever reads it does so through a Root of the run's scope.
	Object object.Ref
}
