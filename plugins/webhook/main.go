// Command evenkeel-plugin-webhook posts the life of every record to a URL, as
// CloudEvents 1.0 in structured JSON mode.
//
//	collector/notify -> gRPC -> sink -> guarded HTTP client -> the receiver
//
// Configuration: url; secret_file (signs the body, see Evenkeel-Signature);
// timeout (default 10s); allow_private (default false: loopback, private and
// link-local addresses are refused, whatever the name resolves to).
package main

import "github.com/evenkeel/evenkeel/plugins/sdk"

func main() {
	sdk.Serve(&sink{})
}
