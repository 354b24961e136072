package detect

// Classes of bytes. A byte of a multi-byte character counts as a letter: a
// number that stands right behind one is part of a word.

func isDigit(c byte) bool { return c-'0' <= 9 }

func isUpper(c byte) bool { return c-'A' <= 25 }

func isLetter(c byte) bool { return c|0x20-'a' <= 25 || c >= 0x80 }

func isWord(c byte) bool { return isDigit(c) || isLetter(c) || c == '_' }

// lower folds the ASCII letters.
func lower(c byte) byte {
	if isUpper(c) {
		return c | 0x20
	}
	return c
}

// at gives a byte of a text; a blank outside it.
func at(text string, i int) byte {
	if i < 0 || i >= len(text) {
		return ' '
	}
	return text[i]
}

// startsHere says that what begins at i is not the tail of something longer: a
// word, a decimal, or a chain of groups as in an identifier.
func startsHere(text string, i int) bool {
	before := at(text, i-1)
	if isWord(before) {
		return false
	}
	return before != '.' && before != '-' && before != '/' && before != '=' && before != '+' || !isWord(at(text, i-2))
}

// endsHere says that what ends before i is not the head of something longer.
func endsHere(text string, i int) bool {
	after := at(text, i)
	if isWord(after) {
		return false
	}
	return after != '.' && after != '-' && after != '/' && after != ',' || !isWord(at(text, i+1))
}

// run gives where the digits that begin at i end.
func run(text string, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

// nextDigit gives where the next run of digits begins, from i on; len(text)
// where there is none.
func nextDigit(text string, i int) int {
	for i < len(text) && !isDigit(text[i]) {
		i++
	}
	return i
}

// digits are the digits of a number without what separates them.
type digits struct {
	d [24]byte // values, not characters
	n int
}

// add takes the digits of a text; false where there are too many. Other
// characters are passed over.
func (n *digits) add(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			continue
		}
		if n.n == len(n.d) {
			return false
		}
		n.d[n.n] = text[i] - '0'
		n.n++
	}
	return true
}

// number gives some of the digits as a number.
func (n *digits) number(from, to int) (v uint64) {
	for _, d := range n.d[from:to] {
		v = v*10 + uint64(d)
	}
	return v
}

// luhn says whether the last digit is the check digit of the others.
func (n *digits) luhn() bool {
	sum := 0
	for i := range n.n {
		d := int(n.d[n.n-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// groups says that the digits at i stand in groups of these sizes, all divided
// by sep, and gives where they end.
func groups(text string, i int, sep byte, sizes ...int) (end int, ok bool) {
	for k, size := range sizes {
		if k > 0 {
			if at(text, i) != sep {
				return 0, false
			}
			i++
		}
		end := run(text, i)
		if end-i != size {
			return 0, false
		}
		i = end
	}
	return i, true
}

// date says whether year (of any century), month and day can be a date.
func date(month, day uint64) bool {
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
		(day <= 30 || month != 4 && month != 6 && month != 9 && month != 11) && (day <= 29 || month != 2)
}
