// Package faultpoint names the places where a crash is worth testing. In a
// normal build Hit is empty and inlined away; in a build with the tag
// "faultpoints" the environment variable EVENKEEL_FAULT=name[:n] makes the
// n-th (default first) Hit of that name kill the process as kill -9 would.
package faultpoint
