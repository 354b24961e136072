// Package genai turns what is known of exchanges with language models into
// metrics.
//
//	wire.Generation -> Metrics.Record -> gen_ai.*, by OpenTelemetry's conventions
//	detect.Counts   -> Metrics.Detect -> evenkeel.llm.*
//
// The conventions are in development and their names still move: all of them
// stand in mapping.go and nowhere else. No metric holds a text that was asked or
// answered.
package genai
