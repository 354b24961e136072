// Package wire decodes what inference servers are asked and what they answer
// into observations, one file for each protocol.
//
//	agent/tap -> Exchange -> [wire: Decoders, by URL -> OIP    -> tensors -> columns] -> signal.Observation -> agent/window
//	                                                 -> reader -> tables  -> columns
//
// A decoder takes bytes as they travelled and trusts none of them: a payload
// that it cannot read is a Fault with a Reason, counted by FaultLog and written
// to the log in outline (sizes, tensor names, types), never with a value.
//
// Payloads that were logged come without a URL (Exchange.Model names the model):
// their protocol is the configured one, or told by the body.
//
// It does not import the tap: Exchange is the part of a captured request and
// answer that a decoder needs.
package wire
