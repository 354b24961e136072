// Package signal is the vocabulary that the agent and the collector share: the
// names of systems, models and features, the observation batch that a decoder
// fills, the window event that is the evidence, the baseline it is compared
// with, and the verdict that a rule gives.
//
//	agent/wire -> Observation -> agent/window -> Distribution -> OTLP
//	OTLP -> collector/ingest -> Distribution -> collector/fleet -> scores
//
// It does no I/O, starts nothing and reads no clock. It stands on package
// measure and on nothing else of this module but internal helpers.
package signal
