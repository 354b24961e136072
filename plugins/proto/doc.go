// Package proto is the contract between the collector and its plugins, as
// gRPC: ticket.proto and what is generated from it. Authors of plugins use
// package sdk, which speaks it for them.
package proto

//go:generate go tool -modfile=../../tools/go.mod buf lint
//go:generate go tool -modfile=../../tools/go.mod buf generate
