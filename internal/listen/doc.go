// Package listen opens sockets with care: loopback unless callers are
// authenticated, and one clear error with the cure when that or the port does
// not work out. It also reads the two things that authentication stands on, a
// file of bearer tokens and a certificate with its key, and follows their
// changes.
//
//	collector/ingest, collector/api -> listen -> net, crypto/tls
package listen
