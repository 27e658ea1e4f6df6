package kinds

// Kind is a kind of supply-chain data.
type Kind string

// The kinds.
const (
	Shipments       Kind = "shipments"
	Inventory       Kind = "inventory"
	PurchaseOrders  Kind = "purchase_orders"
	Suppliers       Kind = "suppliers"
	BillOfMaterials Kind = "bill_of_materials"
	SalesOrders     Kind = "sales_orders"
	Invoices        Kind = "invoices"
	Products        Kind = "products"
	Unknown         Kind = "unknown"
)

// All returns the kinds, with Unknown last.
func All() []Kind {
	return []Kind{
		Shipments, Inventory, PurchaseOrders, Suppliers, BillOfMaterials, SalesOrders, Invoices, Products, Unknown,
	}
}

// IsValid reports whether k is one of All.
func (k Kind) IsValid() bool { return k.Label() != "" }

// Label returns the name of the kind in a sentence, such as "purchase orders".
func (k Kind) Label() string {
	return map[Kind]string{
		Shipments: "shipments", Inventory: "inventory", PurchaseOrders: "purchase orders", Suppliers: "suppliers",
		BillOfMaterials: "a bill of materials", SalesOrders: "sales orders", Invoices: "invoices",
		Products: "products", Unknown: "data of an unknown kind",
	}[k]
}

// Meaning describes what a row of the kind is.
func (k Kind) Meaning() string {
	return map[Kind]string{
		Shipments:       "Each row is goods on their way from one place to another.",
		Inventory:       "Each row is how much of an article lies in one place.",
		PurchaseOrders:  "Each row is a line of an order that was placed with a supplier.",
		Suppliers:       "Each row is a company that goods are bought from.",
		BillOfMaterials: "Each row says how much of a component goes into an assembly.",
		SalesOrders:     "Each row is a line of an order that a customer has placed.",
		Invoices:        "Each row is a bill that a supplier has sent.",
		Products:        "Each row is an article that is bought, made or sold.",
	}[k]
}

// weights returns how much the role of a column speaks for each kind.
func weights() map[Kind]map[Role]float64 {
	return map[Kind]map[Role]float64{
		Shipments: {
			ShipmentID: 4, Carrier: 3, Tracking: 3, Origin: 2, Destination: 2, ShipDate: 2, ArrivalDate: 2, Weight: 1,
			Status: 0.5, Quantity: 0.5, Article: 0.5, OrderNumber: 0.5,
		},
		Inventory: {
			OnHand: 4, Warehouse: 2, Bin: 2, ReorderPoint: 3, Lot: 1, CountDate: 2, Article: 1, Unit: 0.5, Quantity: 0.5,
		},
		PurchaseOrders: {
			OrderNumber: 4, OrderDate: 2, DueDate: 1.5, SupplierID: 1.5, UnitPrice: 1.5, Quantity: 1, Article: 1, Currency: 0.5,
			Amount: 0.5, Status: 0.5,
		},
		Suppliers: {
			SupplierID: 2, SupplierName: 4, Country: 1, LeadTime: 2, Rating: 2, Contact: 1.5, Email: 1.5, Terms: 1.5,
		},
		BillOfMaterials: {Parent: 4, Component: 4, QuantityPer: 3, BOMLevel: 2, Unit: 0.5, Description: 0.5},
		SalesOrders: {
			SalesOrder: 4, Customer: 3, OrderDate: 1, DueDate: 1, Quantity: 1, Article: 1, UnitPrice: 1, Currency: 0.5,
		},
		Invoices: {InvoiceNumber: 4, InvoiceDate: 3, DueDate: 1, Amount: 2, SupplierID: 1, Currency: 0.5, OrderNumber: 0.5},
		Products: {
			Article: 2, Description: 2, Category: 2, ListPrice: 2, Unit: 0.5, Weight: 0.5, UnitPrice: 0.5, LeadTime: 0.5,
		},
	}
}
