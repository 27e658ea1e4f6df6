// Command server measures the bookshelf.
package main
