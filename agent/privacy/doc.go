// Package privacy decides what of a request is used at all, before anything is
// counted, learnt or sent.
//
//	wire -> Observation -> [Sources: attributes of headers and files] -> [Filter: dropped, hashed] -> windows, predictions
//
// Attributes come first, so that a column that names the person can be looked up
// and then dropped. Neither changes the observation that it gets: the decoder
// goes on using that one's memory.
package privacy
