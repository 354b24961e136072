// Package evaluations takes what evaluators say of answers: language models that
// judge others, rules, people.
//
//	POST /v1/evaluations -> Read -> []Result -> events, by OpenTelemetry's conventions
//	                                    |
//	                                    +-> Board.Add -> mean score and share of labels, by window
//
// Explanations quote answers: they are dropped unless they are asked for.
package evaluations
