//go:build !faultpoints

package faultpoint

import "time"

// Now is time.Now in a normal build.
func Now() time.Time { return time.Now() }
