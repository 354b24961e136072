// Package parity compares package measure with the Python libraries that people
// know, on generated data and, where they are present, on the shared data files:
//
//	family_test.go -> JSON -> python family.py -> JSON -> family_test.go -> table
//
// Its tests need the libraries of requirements.txt and are built with the tag
// parity only; make parity brings both and prints the table. Where a library
// follows another convention, the test names it, works out that convention's
// value from ours or beside ours, and compares that: no tolerance hides it.
package parity
