package detect

import "strings"

const (
	maxLocal  = 64  // RFC 5321
	maxDomain = 253 // likewise
	maxLabel  = 63
)

// findEmails counts addresses. Those at names that RFC 2606 reserves belong to
// nobody; a user in front of a host, as in URLs and in git's remotes, is no
// address.
func findEmails(text string) (n uint64) {
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '@')
		if i < 0 {
			return n
		}
		i += from
		from = i + 1
		start := i
		for start > 0 && i-start <= maxLocal && isLocal(text[start-1]) {
			start--
		}
		end, ok := domainEnd(text, i+1)
		if ok && isMailbox(text[start:i]) && !inURL(text, start) && !isReserved(text[i+1:end]) {
			n++
			from = end
		}
	}
}

func isLocal(c byte) bool {
	return isDigit(c) || c|0x20-'a' <= 25 || c == '.' || c == '_' || c == '%' || c == '+' || c == '-' || c >= 0x80
}

// isMailbox says whether the part before the @ can be one.
func isMailbox(local string) bool {
	return local != "" && len(local) <= maxLocal && local[0] != '.' && local[len(local)-1] != '.' &&
		!strings.Contains(local, "..") && local != "git" && strings.ContainsFunc(local, isNameRune)
}

func isNameRune(r rune) bool {
	return r-'0' <= 9 && r >= '0' || r|0x20 >= 'a' && r|0x20 <= 'z' || r >= 0x80
}

// domainEnd gives where the domain at i ends: labels divided by dots, the last of
// letters.
func domainEnd(text string, i int) (end int, ok bool) {
	start, label, labels, letters := i, i, 0, true
	for ; i <= len(text); i++ {
		c := at(text, i)
		switch {
		case isDigit(c):
			letters = letters && i > label && label+4 <= i && strings.HasPrefix(text[label:i], "xn--")
		case c == '-':
			if i == label {
				return 0, false
			}
		case c != '_' && isLetter(c):
		default:
			if i == label || at(text, i-1) == '-' {
				// A dot at the end of a sentence is not part of the name.
				return label - 1, labels >= 2 && i == label
			}
			if i-label > maxLabel || i-start > maxDomain {
				return 0, false
			}
			labels++
			if c == '.' && (isDigit(at(text, i+1)) || isLetter(at(text, i+1))) {
				label, letters = i+1, true
				continue
			}
			return i, labels >= 2 && letters && i-label >= 2 && c != '_'
		}
	}
	return 0, false
}

// inURL says whether what begins at i follows the scheme of a URL, without a
// slash between.
func inURL(text string, i int) bool {
	for ; i > 0 && (isLocal(text[i-1]) || text[i-1] == ':'); i-- {
		continue
	}
	return i >= 3 && text[i-3:i] == "://" || i >= 2 && text[i-2:i] == "//"
}

// reservedDomains end in these, or are them.
var reservedDomains = [...]string{"example.com", "example.org", "example.net", "example", "test", "invalid", "localhost", "local"}

// fileEndings are no top-level domains: logo@2x.png is a file.
var fileEndings = [...]string{"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "css", "ts", "html", "json", "txt", "yaml", "yml"}

func isReserved(domain string) bool {
	for _, r := range reservedDomains {
		if head := len(domain) - len(r); head >= 0 && strings.EqualFold(domain[head:], r) && (head == 0 || domain[head-1] == '.') {
			return true
		}
	}
	for _, f := range fileEndings {
		if head := len(domain) - len(f); head > 0 && domain[head-1] == '.' && strings.EqualFold(domain[head:], f) {
			return true
		}
	}
	return false
}
