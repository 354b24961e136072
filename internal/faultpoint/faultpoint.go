// Package faultpoint names the places where a crash is worth testing, and gives
// a clock that can be wrong. In a normal build Hit is empty and inlined away,
// and Now is time.Now. In a build with the tag "faultpoints" the environment
// variable EVENKEEL_FAULT=name[:n] makes the n-th (default first) Hit of that
// name kill the process as kill -9 would, and EVENKEEL_CLOCK=file steps the
// clock by the seconds that the file holds.
package faultpoint
