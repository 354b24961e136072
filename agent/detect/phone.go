package detect

import "strings"

const (
	minPhone = 8  // digits of an international number, the country's among them
	maxPhone = 15 // E.164
	minLocal = 7  // digits of a number behind a word
)

// findPhones counts telephone numbers: those that begin with + and a country's
// code; North American ones in the customary groups; others right behind a word
// such as "phone". Numbers that are reserved for fiction do not count.
func findPhones(text string) (n uint64) {
	for i := 0; i < len(text); i++ {
		end, ok := 0, false
		switch c := text[i]; {
		case c == '+':
			end, ok = internationalAt(text, i)
		case isDigit(c) || c == '(':
			end, ok = americanAt(text, i)
		case isLetter(c) && !isWord(at(text, i-1)):
			end, ok = announcedAt(text, i)
		}
		if ok {
			n++
			i = end - 1
		}
	}
	return n
}

func internationalAt(text string, i int) (end int, ok bool) {
	if isWord(at(text, i-1)) || at(text, i-1) == '+' || at(text, i+1) == '0' {
		return 0, false
	}
	n, end, ok := dialled(text, i+1)
	if !ok || n.n < minPhone || n.n > maxPhone || !isCountry(&n) {
		return 0, false
	}
	return end, n.d[0] != 1 || n.n == 11 && isAmerican(&n, 1)
}

// dialled reads digits as they are written to be dialled: with single blanks,
// dots, hyphens and slashes between, and one pair of brackets.
func dialled(text string, i int) (n digits, end int, ok bool) {
read:
	for i < len(text) {
		switch c := text[i]; {
		case isDigit(c):
			if n.n == len(n.d) {
				return n, 0, false
			}
			n.d[n.n] = c - '0'
			n.n++
			i++
			end = i
			continue
		case c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')':
			next := at(text, i+1)
			if isDigit(next) || (c == ' ' || c == ')') && (next == '(' || next == ' ' || next == '-') && isDigit(at(text, i+2)) {
				i++
				continue
			}
			break read
		default:
			break read
		}
	}
	return n, end, n.n > 0 && !isWord(at(text, end)) && (at(text, end) != '.' && at(text, end) != ',' || !isDigit(at(text, end+1)))
}

// americanAt reads (NXX) NXX-XXXX, NXX-NXX-XXXX and NXX.NXX.XXXX.
func americanAt(text string, i int) (end int, ok bool) {
	if !startsHere(text, i) || at(text, i-1) == '+' {
		return 0, false
	}
	if text[i] == '(' {
		if run(text, i+1) != i+4 || at(text, i+4) != ')' {
			return 0, false
		}
		from := i + 5
		if at(text, from) == ' ' {
			from++
		}
		end, ok = groups(text, from, '-', 3, 4)
	} else if sep := at(text, i+3); sep == '-' || sep == '.' {
		end, ok = groups(text, i, sep, 3, 3, 4)
	}
	var n digits
	if !ok || !endsHere(text, end) || !n.add(text[i:end]) {
		return 0, false
	}
	return end, isAmerican(&n, 0)
}

// isAmerican checks the ten digits from the given one on: area and exchange
// begin with 2 to 9. 555-01XX is reserved for fiction.
func isAmerican(n *digits, from int) bool {
	if n.n != from+10 || n.d[from] < 2 || n.d[from+3] < 2 || n.d[from+1] == 9 || n.d[from+1] == 1 && n.d[from+2] == 1 {
		return false
	}
	return n.number(from+3, from+8) != 55501
}

// announcements are words that a telephone number follows, in lower case.
var announcements = [...]string{"tel", "phone", "telephone", "telefon", "téléphone", "telefono", "teléfono", "telefone", "mobile", "mobil", "móvil", "cell", "fax", "whatsapp"}

// announcedAt reads a number that follows a word such as "phone", a colon or a
// dot, and blanks.
func announcedAt(text string, i int) (end int, ok bool) {
	for _, word := range announcements {
		if len(text)-i <= len(word) || !strings.EqualFold(text[i:i+len(word)], word) || isWord(at(text, i+len(word))) {
			continue
		}
		from := i + len(word)
		for k := 0; k < 3 && (at(text, from) == ':' || at(text, from) == '.' || at(text, from) == ' '); k++ {
			from++
		}
		if c := at(text, from); !isDigit(c) && c != '(' {
			return 0, false
		}
		n, end, ok := dialled(text, from)
		if !ok || n.n < minLocal || n.n > maxPhone || n.n == 10 && n.number(3, 8) == 55501 {
			return 0, false
		}
		return end, true
	}
	return 0, false
}

// Country codes of two digits, and the beginnings of those of three.
const (
	twoDigitCodes   = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "
	threeDigitCodes = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 69 80 85 87 88 96 97 99 "
)

func isCountry(n *digits) bool {
	return n.d[0] == 1 || n.d[0] == 7 || hasCode(twoDigitCodes, n) || hasCode(threeDigitCodes, n)
}

func hasCode(codes string, n *digits) bool {
	for i := 0; i < len(codes); i += 3 {
		if codes[i]-'0' == n.d[0] && codes[i+1]-'0' == n.d[1] {
			return true
		}
	}
	return false
}
