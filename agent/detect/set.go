package detect

import (
	"fmt"
	"slices"
	"strings"
)

// Detector names what is looked for.
type Detector string

// The detectors.
const (
	Email      Detector = "email"       // an address at a domain that somebody can own
	Phone      Detector = "phone"       // international, North American, or behind a word such as "phone"
	Card       Detector = "card"        // a payment card's number: issuer, length and check digit (Luhn)
	IBAN       Detector = "iban"        // an account number: country, length and check digits (mod 97)
	NationalID Detector = "national_id" // of Brazil, China, Finland, France, Italy, Spain, Sweden, Switzerland, the USA
	Secret     Detector = "secret"      // a key with a well-known beginning, its length and its randomness
	PrivateKey Detector = "private_key" // a PEM block with a private key in it
	JWT        Detector = "jwt"         // a signed JSON web token
	Refusal    Detector = "refusal"     // the answer begins by declining; at most one for each text
)

// Detectors lists all detectors, in the order of Counts.
func Detectors() []Detector {
	return []Detector{Email, Phone, Card, IBAN, NationalID, Secret, PrivateKey, JWT, Refusal}
}

// detectors is how many there are.
const detectors = 9

// Counts are the findings of each detector, in the order of Detectors.
type Counts [detectors]uint64

// Of gives the count of one detector; 0 for one that does not exist.
func (c *Counts) Of(d Detector) uint64 {
	if i := slices.Index(Detectors(), d); i >= 0 {
		return c[i]
	}
	return 0
}

// finders are the detectors' functions, in the order of Detectors. Each gives how
// often it finds its thing in a text.
var finders = [detectors]func(text string) uint64{
	findEmails, findPhones, findCards, findIBANs, findNationalIDs, findSecrets, findPrivateKeys, findJWTs, findRefusal,
}

// Set is a choice of detectors. It does not change and may be used from many
// goroutines. The zero value looks for nothing.
type Set struct {
	names []Detector
	at    []int // in finders
}

// NewSet chooses detectors; it fails for one that does not exist or is named
// twice.
func NewSet(names []Detector) (*Set, error) {
	s := &Set{}
	for _, name := range names {
		i := slices.Index(Detectors(), name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("detector %q is not known; the detectors are %s", name, list())
		case slices.Contains(s.names, name):
			return nil, fmt.Errorf("detector %q is named twice", name)
		}
		s.names, s.at = append(s.names, name), append(s.at, i)
	}
	return s, nil
}

func list() string {
	var names []string
	for _, d := range Detectors() {
		names = append(names, string(d))
	}
	return strings.Join(names, ", ")
}

// Detectors lists the chosen ones, in the order of NewSet.
func (s *Set) Detectors() []Detector { return s.names }

// Scan adds what the chosen detectors find in a text to found. The text may be of
// any bytes. It allocates nothing.
func (s *Set) Scan(text string, found *Counts) {
	for _, i := range s.at {
		found[i] += finders[i](text)
	}
}
