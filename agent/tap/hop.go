package tap

import (
	"net/http"
	"strings"
)

// isHop says that a header is about one connection and is not passed on: those
// that RFC 9110 names, and those that Connection lists.
func isHop(key string, connection []string) bool {
	switch key {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return connection != nil && hasToken(connection, key)
}

// hasToken says that one of the comma separated lists has a word.
func hasToken(lists []string, word string) bool {
	for _, list := range lists {
		for token := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}

// copyHeader passes an answer's headers on.
func copyHeader(to, from http.Header) {
	connection := from["Connection"]
	for k, values := range from {
		if !isHop(k, connection) {
			to[k] = values
		}
	}
}

// upgradeOf gives the protocol that a message changes to; empty: none.
func upgradeOf(h http.Header) string {
	if !hasToken(h["Connection"], "Upgrade") {
		return ""
	}
	return h.Get("Upgrade")
}
