package kinds

import (
	"regexp"
	"strings"
	"unicode"
)

// Role is the part of a column in a row, such as the number of the order.
type Role string

// The roles.
const (
	ShipmentID    Role = "shipment_id"
	Carrier       Role = "carrier"
	Tracking      Role = "tracking"
	Origin        Role = "origin"
	Destination   Role = "destination"
	ShipDate      Role = "ship_date"
	ArrivalDate   Role = "arrival_date"
	Weight        Role = "weight"
	Article       Role = "article"
	Description   Role = "description"
	Category      Role = "category"
	Quantity      Role = "quantity"
	OnHand        Role = "on_hand"
	Warehouse     Role = "warehouse"
	Bin           Role = "bin"
	Lot           Role = "lot"
	ReorderPoint  Role = "reorder_point"
	CountDate     Role = "count_date"
	Unit          Role = "unit"
	OrderNumber   Role = "order_number"
	OrderDate     Role = "order_date"
	DueDate       Role = "due_date"
	SupplierID    Role = "supplier_id"
	SupplierName  Role = "supplier_name"
	UnitPrice     Role = "unit_price"
	ListPrice     Role = "list_price"
	Currency      Role = "currency"
	Amount        Role = "amount"
	Status        Role = "status"
	Country       Role = "country"
	LeadTime      Role = "lead_time"
	Rating        Role = "rating"
	Contact       Role = "contact"
	Email         Role = "email"
	Terms         Role = "terms"
	Parent        Role = "parent"
	Component     Role = "component"
	QuantityPer   Role = "quantity_per"
	BOMLevel      Role = "bom_level"
	SalesOrder    Role = "sales_order"
	Customer      Role = "customer"
	InvoiceNumber Role = "invoice_number"
	InvoiceDate   Role = "invoice_date"
)

// roleSpec describes a role by the names of its columns and their meaning.
type roleSpec struct {
	role    Role
	names   string // separated by spaces, normalised
	meaning string
}

// roleSpecs are in the order in which a name is looked up.
func roleSpecs() []roleSpec {
	return []roleSpec{
		{ShipmentID, "shipment shipment_id shipment_no shipment_number delivery_no delivery_id consignment_no awb bol",
			"number of the shipment"},
		{Carrier, "carrier carrier_name forwarder haulier transporter shipping_line", "company that carries the goods"},
		{Tracking, "tracking tracking_no tracking_number track_id container container_no",
			"number to follow the shipment by"},
		{Origin, "origin from ship_from origin_port port_of_loading pol departure_port origin_city",
			"place where the goods start"},
		{Destination, "destination to ship_to destination_port port_of_discharge pod arrival_port destination_city",
			"place where the goods go"},
		{ShipDate, "ship_date shipped shipped_at shipped_on shipping_date dispatch_date etd departure_date departed_at",
			"day when the goods left"},
		{ArrivalDate, "arrival_date arrived arrived_at arrived_on eta delivered_at delivered_on receipt_date " +
			"received_at ata",
			"day when the goods arrive"},
		{Weight, "weight weight_kg gross_weight net_weight kg mass", "weight of the goods"},
		{OnHand, "on_hand qty_on_hand quantity_on_hand stock stock_qty stock_level available available_qty balance soh",
			"amount that is there now"},
		{Warehouse, "warehouse warehouse_id wh site plant location storage_location depot facility",
			"place where the stock lies"},
		{Bin, "bin bin_code shelf aisle slot rack", "place within the warehouse"},
		{Lot, "lot lot_no batch batch_no serial serial_no", "batch that the goods belong to"},
		{ReorderPoint, "reorder_point reorder_level min_stock safety_stock minimum_stock rop",
			"amount at which to order again"},
		{CountDate, "counted_at count_date last_counted counted_on snapshot_date as_of stock_date", "day of the count"},
		{Parent, "parent parent_part parent_sku parent_item parent_no assembly assembly_no finished_good",
			"assembly that is made"},
		{Component, "component component_part component_sku component_item component_no child child_part child_sku " +
			"sub_part",
			"part that goes into the assembly"},
		{QuantityPer, "qty_per quantity_per per_assembly qty_per_assembly usage usage_qty bom_qty",
			"amount of the component in one assembly"},
		{BOMLevel, "level bom_level depth", "depth of the part in the assembly"},
		{SalesOrder, "sales_order so so_no so_number sales_order_no customer_order", "number of the customer's order"},
		{Customer, "customer customer_id customer_no customer_name client buyer_company sold_to", "customer"},
		{InvoiceNumber, "invoice invoice_no invoice_number invoice_id bill_no", "number of the invoice"},
		{InvoiceDate, "invoice_date billed_at billed_on billing_date", "day of the invoice"},
		{OrderNumber, "po po_no po_number purchase_order purchase_order_no order_no order_number order_id po_id",
			"number of the order"},
		{OrderDate, "order_date ordered_at ordered_on po_date purchase_date created_on", "day of the order"},
		{DueDate, "due due_date delivery_date need_by promised_date requested_date required_date expected_date due_on",
			"day when it is due"},
		{SupplierID, "supplier supplier_id supplier_no supplier_code vendor vendor_id vendor_no vendor_code",
			"number of the supplier"},
		{SupplierName, "supplier_name vendor_name company company_name supplier_company", "name of the supplier"},
		{UnitPrice, "unit_price price unit_cost cost price_each", "price of one unit"},
		{ListPrice, "list_price catalogue_price catalog_price retail_price standard_price msrp",
			"price in the catalogue"},
		{Currency, "currency ccy currency_code", "currency of the amounts"},
		{Amount, "amount total total_amount line_total net_amount gross_amount value order_value", "sum of money"},
		{Status, "status state order_status shipment_status", "state of the row"},
		{Country, "country country_code country_of_origin nation", "country"},
		{LeadTime, "lead_time lead_time_days lead_days leadtime", "days from the order to the delivery"},
		{Rating, "rating score grade supplier_rating on_time_rate otd quality_score", "assessment of the supplier"},
		{Contact, "contact contact_name contact_person phone telephone account_manager", "person to talk to"},
		{Email, "email e_mail mail contact_email", "address for messages"},
		{Terms, "terms payment_terms incoterm incoterms", "terms of delivery or payment"},
		{Category, "category product_group commodity family class material_group", "group of the article"},
		{Description, "description item_description product_name item_name part_name article_name name title",
			"name of the article"},
		{Unit, "unit uom unit_of_measure measure", "unit of the amounts"},
		{Quantity, "quantity qty ordered_qty order_qty shipped_qty units pieces pcs amount_ordered count", "amount"},
		{Article, "article article_no article_id sku item item_no item_id item_code part part_no part_number " +
			"material material_no product product_id product_code mpn",
			"number of the article"},
	}
}

// valueHints recognise a role by values when the name of the column says nothing.
func valueHints() []struct {
	role    Role
	pattern *regexp.Regexp
} {
	return []struct {
		role    Role
		pattern *regexp.Regexp
	}{
		{OrderNumber, regexp.MustCompile(`^PO[-_ ]?\d{3,}$`)},
		{ShipmentID, regexp.MustCompile(`^(SH|SHP|DN)[-_ ]?\d{3,}$`)},
		{InvoiceNumber, regexp.MustCompile(`^INV[-_ ]?\d{3,}$`)},
		{SalesOrder, regexp.MustCompile(`^SO[-_ ]?\d{3,}$`)},
		{SupplierID, regexp.MustCompile(`^(SUP|VEN|S|V)[-_ ]?\d{2,}$`)},
		{Article, regexp.MustCompile(`^(SKU|ART|ITM|MAT)[-_ ]?\d{2,}$`)},
		{Email, regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}$`)},
		{Currency, regexp.MustCompile(`^(EUR|USD|GBP|CHF|JPY|CNY|SEK|DKK|NOK|PLN)$`)},
	}
}

// normalize writes a column's name in lower case with underscores between its words: "Order No." is order_no.
func normalize(name string) string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		switch {
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte('_')
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		case b.Len() > 0:
			b.WriteByte('_')
		}
		before = r
	}
	words := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' })
	return strings.Join(words, "_")
}
