package cover

// Sample is a cover to draw.
type Sample struct {
	Name   string // a name for files and URLs: lower-case letters and hyphens
	Title  string
	Author string
	ISBN   string // ISBN-13, digits only
	Known  bool   // whether the example's catalogue contains this ISBN

	style style
}

// Samples returns three covers: two of books in the catalogue, and one of a book that does not exist, whose ISBN is
// valid but unknown.
func Samples() []Sample {
	return []Sample{
		{"pride-and-prejudice", "Pride and Prejudice", "Jane Austen", "9780486284736", true, garden},
		{"moby-dick", "Moby-Dick", "Herman Melville", "9780486432151", true, sea},
		{"the-lamplighters-almanac", "The Lamplighter's Almanac", "Orla Vane", "9781234567897", false, hills},
	}
}

// style is the picture and the colours of a cover.
type style int

const (
	hills style = iota // the default
	garden
	sea
)
