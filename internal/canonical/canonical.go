// Package canonical gives data one byte form, JSON as RFC 8785 orders and
// writes it, so that equal content has an equal digest on every machine.
package canonical

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// JSON gives v's canonical JSON. NaN and infinities are errors, as in JSON.
// Numbers are IEEE 754 doubles, as RFC 8785 has them: two integers beyond 2^53
// may read as one.
func JSON(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return out, nil
}

// Digest gives "sha256:" and the hexadecimal digest of v's canonical JSON.
func Digest(v any) (string, error) {
	raw, err := JSON(v)
	if err != nil {
		return "", err
	}
	return Sum(raw), nil
}

// Sum gives "sha256:" and the hexadecimal digest of raw bytes.
func Sum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
