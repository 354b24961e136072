package listen

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// minToken is the least length of a token, in bytes.
const minToken = 16

// Tokens are the bearer tokens that are let in. A nil *Tokens lets everybody
// in. Safe for concurrent use.
type Tokens struct {
	set *followed[[][sha256.Size]byte]
}

// OpenTokens reads a file with one token on each line; empty lines and those
// that begin with # are passed over. A change of the file is followed. An empty
// path gives nil: no authentication. Tokens are never logged.
func OpenTokens(path string, log *slog.Logger, now func() time.Time) (*Tokens, error) {
	if path == "" {
		return nil, nil
	}
	set, err := follow(log, now, func() ([][sha256.Size]byte, error) { return readTokens(path) }, path)
	if err != nil {
		return nil, errs.E("read token file", errs.Invalid, err, "write one token of at least 16 characters on each line")
	}
	return &Tokens{set}, nil
}

func readTokens(path string) ([][sha256.Size]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set [][sha256.Size]byte
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		token := bytes.TrimSpace(lines.Bytes())
		switch {
		case len(token) == 0 || token[0] == '#':
		case len(token) < minToken:
			return nil, fmt.Errorf("%s:%d: a token of %d characters is too short", path, n, len(token))
		default:
			set = append(set, sha256.Sum256(token))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(set) == 0 {
		return nil, errors.New(path + ": no token in it")
	}
	return set, nil
}

// Allow judges an Authorization header's value, "Bearer" and a token, in a
// time that does not depend on where tokens differ.
func (t *Tokens) Allow(authorization string) bool {
	if t == nil {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for _, known := range t.set.get() {
		found |= subtle.ConstantTimeCompare(known[:], sum[:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// Guard lets requests with a token through and calls refuse for all others.
func (t *Tokens) Guard(next http.Handler, refuse http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !t.Allow(r.Header.Get("Authorization")) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="evenkeel"`)
			refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
