// Package objecttest is the conformance suite of [object.Driver].
//
//	func TestDriver(t *testing.T) {
//		t.Parallel()
//		objecttest.Test(t, driver, "my-bucket", nil)
//	}
//
// It works under new tenants and deletes its objects, so the bucket may be shared.
// It does not test speed, throttling, or how long a store with versions keeps
// deleted objects.
package objecttest
