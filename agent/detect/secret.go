package detect

import (
	"math"
	"strings"
)

// key is the form of a kind of secret: a beginning, and then so many characters
// of an alphabet.
type key struct {
	prefix   string
	min, max int // characters behind the prefix
	alphabet alphabet
}

type alphabet uint8

const (
	base62   alphabet = iota // letters and digits
	base32                   // capitals and 2 to 7
	hex                      // small
	urlSafe                  // base62, - and _
	withDots                 // urlSafe and dots
)

// keys are the beginnings by which their makers let them be found, the longer
// of two before the shorter.
var keys = [...]key{
	{"AKIA", 16, 16, base32},
	{"ASIA", 16, 16, base32}, // AWS
	{"github_pat_", 60, 100, urlSafe},
	{"ghp_", 36, 36, base62},
	{"gho_", 36, 36, base62},
	{"ghu_", 36, 36, base62},
	{"ghs_", 36, 36, base62},
	{"ghr_", 36, 76, base62},
	{"glpat-", 20, 64, withDots},
	{"xoxb-", 24, 100, urlSafe},
	{"xoxp-", 24, 100, urlSafe},
	{"xoxa-", 24, 100, urlSafe},
	{"xoxs-", 24, 100, urlSafe}, // Slack
	{"sk_live_", 24, 100, base62},
	{"rk_live_", 24, 100, base62}, // Stripe
	{"AIza", 35, 35, urlSafe},
	{"GOCSPX-", 28, 28, urlSafe}, // Google
	{"sk-ant-", 32, 200, urlSafe},
	{"sk-proj-", 32, 200, urlSafe},
	{"sk-", 32, 64, base62},
	{"hf_", 34, 40, base62},
	{"npm_", 36, 36, base62},
	{"pypi-", 80, 300, urlSafe},
	{"SG.", 60, 80, withDots},
	{"dop_v1_", 64, 64, hex},
	{"shpat_", 32, 32, hex},
}

// minEntropy is how many bits a character of a secret has at least: text that
// stands in for one, such as a word or xxxx, has fewer.
const minEntropy = 3.0

// findSecrets counts keys of well-known services.
func findSecrets(text string) (n uint64) {
	for i := 0; i < len(text); i++ {
		if !beginsKey[text[i]] || isWord(at(text, i-1)) {
			continue
		}
		if end, ok := keyAt(text, i); ok {
			n++
			i = end - 1
		}
	}
	return n
}

// beginsKey are the first bytes of keys.
var beginsKey = func() (first [256]bool) {
	for _, k := range keys {
		first[k.prefix[0]] = true
	}
	return first
}()

func keyAt(text string, i int) (end int, ok bool) {
	for k := range keys {
		if !strings.HasPrefix(text[i:], keys[k].prefix) {
			continue
		}
		from := i + len(keys[k].prefix)
		end := from
		for end < len(text) && keys[k].alphabet.has(text[end]) {
			end++
		}
		if end > from && text[end-1] == '.' { // of the sentence
			end--
		}
		long := end - from
		return end, long >= keys[k].min && long <= keys[k].max && !isWord(at(text, end)) && isRandom(text[from:end])
	}
	return 0, false
}

func (a alphabet) has(c byte) bool {
	letter := c|0x20-'a' <= 25
	switch a {
	case base32:
		return isUpper(c) || c >= '2' && c <= '7'
	case hex:
		return isDigit(c) || c >= 'a' && c <= 'f'
	case urlSafe:
		return isDigit(c) || letter || c == '-' || c == '_'
	case withDots:
		return isDigit(c) || letter || c == '-' || c == '_' || c == '.'
	}
	return isDigit(c) || letter
}

// placeholders stand in what is written in place of a secret.
var placeholders = [...]string{"example", "your", "xxxx", "abcdef", "123456", "secret", "placeholder", "redacted"}

// isRandom says whether a body looks drawn, not written.
func isRandom(body string) bool {
	for _, p := range placeholders {
		if containsFold(body, p) {
			return false
		}
	}
	return entropy(body) >= minEntropy
}

// entropy gives Shannon's, in bits a character, of how often each occurs.
func entropy(s string) (bits float64) {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// containsFold says whether part, in lower case, stands in s in any case.
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		k := 0
		for k < len(part) && lower(s[i+k]) == part[k] {
			k++
		}
		if k == len(part) {
			return true
		}
	}
	return false
}

const (
	pemBegin = "-----BEGIN "
	pemKey   = "PRIVATE KEY-----"
	minPEM   = 48 // characters of base64 behind the first line; fewer are no key
	maxTitle = 40 // between the two
)

// findPrivateKeys counts PEM blocks with a private key, of any algorithm: the
// first line and enough base64 behind it. How the line ends does not matter; in
// JSON within an answer it ends with a backslash and an n.
func findPrivateKeys(text string) (n uint64) {
	for {
		i := strings.Index(text, pemBegin)
		if i < 0 {
			return n
		}
		text = text[i+len(pemBegin):]
		end := strings.Index(text[:min(len(text), maxTitle)], pemKey)
		if end < 0 {
			continue
		}
		body := text[end+len(pemKey):]
		if letters, random := base64Run(body); letters >= minPEM && random {
			n++
		}
	}
}

// base64Run counts the characters of base64 at the beginning, over ends of
// lines.
func base64Run(s string) (letters int, random bool) {
	start := -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c), c|0x20-'a' <= 25, c == '+', c == '/':
			if start < 0 {
				start = i
			}
			letters++
		case c == '\n', c == '\r', c == ' ':
		case c == '\\' && (at(s, i+1) == 'n' || at(s, i+1) == 'r'):
			i++
		default:
			return letters, start >= 0 && entropy(s[start:i]) >= minEntropy
		}
		if letters >= minPEM {
			return letters, entropy(s[start:i+1]) >= minEntropy
		}
	}
	return letters, false
}

const (
	minClaims    = 10 // characters of a token's second part
	minSignature = 32 // and of its third: 32 bytes are 43 characters
)

// findJWTs counts signed tokens: three parts, of which the first two are objects
// in JSON.
func findJWTs(text string) (n uint64) {
	for from := 0; ; {
		i := strings.Index(text[from:], "eyJ") // {"
		if i < 0 {
			return n
		}
		i += from
		from = i + 3
		if isWord(at(text, i-1)) || at(text, i-1) == '.' {
			continue
		}
		head := part(text, i)
		claims := part(text, head+1)
		signature := part(text, claims+1)
		if at(text, head) == '.' && at(text, claims) == '.' && strings.HasPrefix(text[head+1:], "eyJ") &&
			claims-head > minClaims && signature-claims > minSignature && entropy(text[claims+1:signature]) >= minEntropy {
			n++
			from = signature
		}
	}
}

// part gives where the characters of a token's part end.
func part(text string, i int) int {
	for i < len(text) && urlSafe.has(text[i]) {
		i++
	}
	return i
}
