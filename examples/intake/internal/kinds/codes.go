package kinds

import (
	"slices"
	"strings"

	"github.com/carrel-go/carrel/examples/intake/internal/profile"
)

// SenseOf returns what the name of a column says about its values.
func SenseOf(name string) profile.Sense {
	switch plain := normalize(name); {
	case HoldsCodes(name) && mayBeAmounts(plain):
		return profile.MayBeCodes
	case HoldsCodes(name):
		return profile.Codes
	case IsDay(name):
		return profile.Days
	case RoleOf(name).isAmount(), slices.ContainsFunc(strings.Split(foldAccents(plain), "_"), isAmountWord):
		return profile.Amounts
	}
	return profile.AnyValues
}

// mayBeAmounts reports whether the normalised name of codes is one word that may also stand for money or an amount,
// such as charge, invoice or lot.
func mayBeAmounts(name string) bool {
	switch roleOfName(name) {
	case Lot, InvoiceNumber, OrderNumber, SalesOrder, ShipmentID:
		return !strings.Contains(name, "_") && !strings.HasSuffix(foldAccents(name), "nummer")
	}
	return name == "rev" || name == "tariff"
}

// isAmount reports whether columns of the role have numbers that are amounts.
func (r Role) isAmount() bool {
	switch r {
	case Weight, Quantity, OnHand, ReorderPoint, QuantityPer, UnitPrice, ListPrice, Amount, LeadTime, Rating:
		return true
	}
	return false
}

// codeNames are the names of columns of codes that do not have a role.
const codeNames = "hs hs_code hscode hts hts_code tariff tariff_no taric customs_tariff rev revision version ver " +
	"postal postcode post_code zip zipcode plz postleitzahl cap gtin ean upc barcode isbn asin code id uuid " +
	"zolltarifnummer warennummer statistische_warennummer revisie versie versione"

// HoldsCodes reports whether the name of a column says that its values are codes, such as the numbers of articles,
// orders and lots, tariff codes, revisions and postal codes: names of things, which are not amounts even if they look
// like numbers or dates.
func HoldsCodes(name string) bool {
	names := []string{normalize(name)}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		names = append(names, normalize(name[i+1:]))
	}
	for _, name := range names {
		if role := roleOfName(name); role != "" {
			return role.IsCode()
		}
		if isCodeName(foldAccents(name)) {
			return true
		}
	}
	return false
}

// isCodeName reports whether a normalised name that does not have a role is that of codes.
func isCodeName(name string) bool {
	if slices.Contains(strings.Fields(codeNames), name) {
		return true
	}
	words := strings.Split(name, "_")
	switch {
	case len(words) < 2:
		return strings.HasSuffix(name, "nummer")
	case words[len(words)-1] != "center" && words[len(words)-1] != "centre" && slices.ContainsFunc(words, isAmountWord):
		return false
	}
	switch words[0] {
	case "code", "codigo", "codice":
		return true
	}
	switch last := words[len(words)-1]; last {
	case "code", "codes", "id", "no", "nr", "num", "number", "sku", "rev", "revision", "version", "lot", "batch", "serial",
		"zip", "postcode", "barcode", "center", "centre":
		return true
	default:
		return strings.HasSuffix(last, "nummer")
	}
}

// isAmountWord reports whether a word in a name says that the values are amounts or days, as in qty_per_lot.
func isAmountWord(word string) bool {
	return slices.Contains([]string{
		"per", "pro", "par", "por", "je", "qty", "quantity", "count", "total", "sum", "amount", "price", "cost", "value",
		"weight", "days", "hours", "date", "time", "rate", "menge", "anzahl", "preis", "datum",
	}, word)
}

// IsCode reports whether columns of the role have codes.
func (r Role) IsCode() bool {
	switch r {
	case ShipmentID, Tracking, Warehouse, Bin, Lot, Parent, Component, SalesOrder, Customer, InvoiceNumber, OrderNumber,
		SupplierID, Article, Category, Country, Contact:
		return true
	}
	return false
}
