//go:build !faultpoints

package faultpoint

// Enabled says whether this build carries fault points.
const Enabled = false

// Hit does nothing in a normal build.
func Hit(string) {}
