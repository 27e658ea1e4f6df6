package sample

import (
	"math/rand/v2"
	"strconv"

	"github.com/carrel-go/carrel/examples/intake/internal/kinds"
)

// flaw is a way in which a value can be wrong.
type flaw int

const (
	noFlaw flaw = iota
	isMissing
	isWrong    // of another type
	isNegative // an amount below zero
	isOtherDay // a date in another format
)

// column generates the values of a column.
type column struct {
	name     string
	isNumber bool // in JSON
	flaws    []flaw
	value    func(b []byte, r *rand.Rand, row int64) []byte
}

// parts returns a generator of a prefix and a number below n.
func parts(prefix string, n, digits int) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, _ int64) []byte { return appendCode(b, prefix, int64(r.IntN(n))+1, digits) }
}

// serial returns a generator of a prefix and the number of the row.
func serial(prefix string, digits int) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, _ *rand.Rand, row int64) []byte { return appendCode(b, prefix, row, digits) }
}

func appendCode(b []byte, prefix string, n int64, digits int) []byte {
	b = append(b, prefix...)
	for limit := int64(10); digits > 1; digits, limit = digits-1, limit*10 {
		if n < limit {
			for ; digits > 1; digits-- {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, n, 10)
}

func oneOf(words ...string) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, _ int64) []byte { return append(b, words[r.IntN(len(words))]...) }
}

func number(min, max int) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, _ int64) []byte {
		return strconv.AppendInt(b, int64(min+r.IntN(max-min)), 10)
	}
}

func money(max int) func([]byte, *rand.Rand, int64) []byte {
	return func(b []byte, r *rand.Rand, _ int64) []byte {
		n := 100 + r.IntN(100*max)
		b = strconv.AppendInt(b, int64(n/100), 10)
		return append(b, '.', byte('0'+n/10%10), byte('0'+n%10))
	}
}

// day is a date in 2026. Its day of the month is at least 13, so that no format is ambiguous.
func day(b []byte, r *rand.Rand, _ int64) []byte {
	return appendDay(b, 1+r.IntN(12), 13+r.IntN(16))
}

func appendDay(b []byte, month, day int) []byte {
	b = append(b, "2026-"...)
	b = append(b, byte('0'+month/10), byte('0'+month%10), '-')
	return append(b, byte('0'+day/10), byte('0'+day%10))
}

// dotted rewrites 2026-01-31 as 31.01.2026.
func dotted(iso []byte) []byte {
	s := string(iso)
	return append(iso[:0], s[8:10]+"."+s[5:7]+"."+s[:4]...)
}

// suppliers is the number of suppliers in every kind, so that files can be joined.
const suppliers = 40

var (
	missing   = []flaw{isMissing}
	amount    = []flaw{isMissing, isWrong, isNegative}
	dayFlaws  = []flaw{isMissing, isOtherDay}
	supplier  = column{name: "supplier_id", value: parts("S-", suppliers, 3)}
	article   = column{name: "sku", value: parts("SKU-", 500, 5)}
	countries = oneOf("NL", "DE", "PL", "CN", "VN", "MX", "US", "IT")
	places    = oneOf("Rotterdam", "Hamburg", "Gdansk", "Shanghai", "Haiphong", "Veracruz", "Savannah", "Genoa")
)

// schema returns the columns of a kind, or nil.
func schema(k kinds.Kind) []column {
	switch k {
	case kinds.Shipments:
		return []column{
			{name: "shipment_id", value: serial("SH-", 8)},
			{name: "po_number", value: parts("PO-", 5000, 6)}, supplier,
			{name: "carrier", value: oneOf("Northline", "Harbour & Co", "Bluewater", "Overland"), flaws: missing},
			{name: "origin", value: places}, {name: "destination", value: places}, article,
			{name: "quantity", isNumber: true, value: number(1, 900), flaws: amount},
			{name: "weight_kg", isNumber: true, value: money(4000)},
			{name: "ship_date", value: day, flaws: dayFlaws}, {name: "eta", value: day},
			{name: "status", value: oneOf("in transit", "delivered", "delayed", "at customs")},
		}
	case kinds.Inventory:
		return []column{
			article, {name: "warehouse", value: oneOf("WH-NORTH", "WH-SOUTH", "WH-EAST")},
			{name: "bin", value: parts("B", 900, 4)},
			{name: "on_hand", isNumber: true, value: number(0, 5000), flaws: amount},
			{name: "reorder_point", isNumber: true, value: number(10, 400)},
			{name: "uom", value: oneOf("pcs", "kg", "m"), flaws: missing},
			{name: "counted_at", value: day, flaws: dayFlaws}, {name: "lot", value: serial("L", 9)},
		}
	case kinds.PurchaseOrders:
		return []column{
			{name: "po_number", value: serial("PO-", 6)}, supplier, article,
			{name: "quantity", isNumber: true, value: number(1, 2000), flaws: amount},
			{name: "unit_price", isNumber: true, value: money(300), flaws: missing},
			{name: "currency", value: oneOf("EUR", "USD", "GBP")},
			{name: "order_date", value: day, flaws: dayFlaws}, {name: "due_date", value: day},
			{name: "status", value: oneOf("open", "confirmed", "received", "late")},
		}
	case kinds.Suppliers:
		return []column{
			{name: "supplier_id", value: serial("S-", 3)},
			{name: "supplier_name", value: func(b []byte, r *rand.Rand, row int64) []byte {
				b = oneOf("Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple")(b, r, row)
				b = append(b, ' ')
				b = oneOf("Castings", "Plastics", "Fasteners", "Electronics", "Packaging")(b, r, row)
				return appendCode(b, " ", row, 1)
			}},
			{name: "country", value: countries, flaws: missing},
			{name: "lead_time_days", isNumber: true, value: number(3, 90), flaws: amount},
			{name: "rating", isNumber: true, value: number(1, 6)},
			{name: "payment_terms", value: oneOf("30 days net", "60 days net", "prepaid")},
			{name: "contact_email", value: func(b []byte, _ *rand.Rand, row int64) []byte {
				return append(appendCode(append(b, "orders"...), "", row, 1), "@supplier.example"...)
			}},
		}
	case kinds.BillOfMaterials:
		return []column{
			{name: "parent_sku", value: parts("ASM-", 200, 4)}, {name: "component_sku", value: parts("SKU-", 500, 5)},
			{name: "level", isNumber: true, value: number(1, 5)},
			{name: "qty_per", isNumber: true, value: number(1, 24), flaws: amount},
			{name: "uom", value: oneOf("pcs", "kg", "m"), flaws: missing},
			{name: "valid_from", value: day, flaws: dayFlaws}, {name: "line", value: serial("", 1)},
		}
	}
	return nil
}
