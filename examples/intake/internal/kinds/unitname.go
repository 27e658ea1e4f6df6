package kinds

import (
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// UnitOfName returns the unit at the end of the name of a column, such as kg of weight_kg or EUR of Amount (EUR), or
// "".
func UnitOfName(name string) string {
	_, unit := cutUnit(normalize(name))
	return unit
}

// cutUnit cuts the unit at the end of a normalised name. A currency is in capitals.
func cutUnit(name string) (stem, unit string) {
	at := strings.LastIndexByte(name, '_')
	if at <= 0 {
		return name, ""
	}
	stem, last := strings.TrimSuffix(name[:at], "_in"), name[at+1:]
	switch capitals := strings.ToUpper(last); {
	case last == "in": // a word of names such as parts_in
	case last == "pct", last == "percent":
		return stem, "%"
	case profile.IsUnit(last):
		return stem, last
	case profile.IsUnit(capitals):
		return stem, capitals
	}
	return name, ""
}
