package probe

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Header marks a request as a probe: it has the value 1.
const Header = "Evenkeel-Probe"

// IDPrefix begins the ids of probes, which travel where headers do not: with
// payloads that others log.
const IDPrefix = "evenkeel-probe-"

// IsMarked says whether a request is a probe, by its headers.
func IsMarked(h http.Header) bool { return h.Get(Header) != "" }

// IsID says whether an id is that of a probe.
func IsID(id string) bool { return strings.HasPrefix(id, IDPrefix) }

// mark makes a request a probe, under an id of its own.
func mark(h http.Header, round uuid.UUID, number int) {
	id := IDPrefix + round.String() + "-" + strconv.Itoa(number)
	h.Set(Header, "1")
	h.Set("X-Request-Id", id)
	h.Set("Ce-Id", id) // what KServe's inference logger names its events by
}
