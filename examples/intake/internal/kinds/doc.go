// Package kinds recognises which kind of supply-chain data a table holds, and what its columns mean, from the names of
// the columns and examples of their values.
//
//	g := kinds.Recognize([]kinds.Column{{Name: "po_number", Examples: []string{"PO-1001"}}, …})
//	fmt.Println(g.Kind, g.Reason) // purchase orders, because it has …
//
// It follows fixed rules: a column has a role if its name or its values are in a list (of English, German, French,
// Spanish, Italian and Dutch words), and each kind is a list of roles with weights. Use it as a first guess that a
// person or a language model confirms. A table that fits no kind is [Unknown], and the Guess says which columns were
// not understood.
package kinds
