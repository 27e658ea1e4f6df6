// Package must is for tests and examples whose calls cannot fail.
package must

// Get returns v. It panics if err is not nil.
func Get[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
