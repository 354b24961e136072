// Package modelserver is a small but real inference server: the REST form of
// the Open Inference Protocol V2 in front of a model that is written in Go.
// The demo and the whole-program tests put the agent before it.
//
//	client -> agent -> Server -> Model (Loan, or Replay of a file's outcomes)
//
// The Loan model is a logistic regression with fixed coefficients. Swap loads
// other coefficients while requests run, as a careless deployment would.
package modelserver
