package detect

import "strings"

// findNationalIDs counts numbers by which states know people. But for the
// American one, which has none, the check digits are checked; the others are not
// looked for, since their check is too weak for numbers without a format.
func findNationalIDs(text string) (n uint64) {
	for i := 0; i < len(text); {
		c := text[i]
		if !isDigit(c) && !isUpper(c) || !startsHere(text, i) {
			i++
			continue
		}
		end, ok := nationalAt(text, i)
		if !ok {
			i++
			continue
		}
		n++
		i = end
	}
	return n
}

func nationalAt(text string, i int) (end int, ok bool) {
	end = i
	for end < len(text) && (isDigit(text[end]) || isUpper(text[end])) {
		end++
	}
	switch end - i {
	case 1, 2, 3, 6, 13: // groups
		return groupedAt(text, i, end)
	case 9:
		return end, isSpanish(text[i:end]) && endsHere(text, end)
	case 15:
		return end, isFrench(text[i:end]) && endsHere(text, end)
	case 16:
		return end, isItalian(text[i:end]) && endsHere(text, end)
	case 18:
		return end, isChinese(text[i:end]) && endsHere(text, end)
	}
	return 0, false
}

// groupedAt reads numbers that are told by how their digits are grouped.
func groupedAt(text string, i, end int) (to int, ok bool) {
	if run(text, i) != end {
		return 0, false
	}
	sep := at(text, end)
	switch end - i {
	case 3:
		if to, ok = groups(text, i, '-', 3, 2, 4); ok {
			return to, isAmericanSSN(text[i:to]) && endsHere(text, to)
		}
		if to, ok = groups(text, i, '.', 3, 4, 4, 2); ok {
			return to, isSwiss(text[i:to]) && endsHere(text, to)
		}
		if to, ok = groups(text, i, '.', 3, 3, 3); ok && at(text, to) == '-' {
			last := run(text, to+1)
			return last, last == to+3 && isBrazilian(text[i:last]) && endsHere(text, last)
		}
	case 6:
		if sep == '-' || sep == '+' || sep == 'A' {
			return dashedAt(text, i, end)
		}
	case 1:
		if to, ok = groups(text, i, ' ', 1, 2, 2, 2, 3, 3, 2); ok {
			return to, isFrench(text[i:to]) && endsHere(text, to)
		}
	case 13:
		if to, ok = groups(text, i, ' ', 13, 2); ok {
			return to, isFrench(text[i:to]) && endsHere(text, to)
		}
	}
	return 0, false
}

// dashedAt reads a date, a sign and four more: Sweden's and Finland's.
func dashedAt(text string, i, end int) (to int, ok bool) {
	if to = run(text, end+1); to == end+5 && text[end] != 'A' {
		return to, (isSwedish(text[i:to]) || isFinnish(text[i:to])) && endsHere(text, to)
	}
	return end + 5, to == end+4 && isUpper(at(text, to)) && isFinnish(text[i:to+1]) && endsHere(text, to+1)
}

// isAmericanSSN checks AAA-GG-SSSS: which groups are given out, and not the
// numbers that became known by print.
func isAmericanSSN(s string) bool {
	area, group, serial := s[:3], s[4:6], s[7:]
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000" && s != "078-05-1120" && s != "123-45-6789"
}

// isBrazilian checks a CPF: two check digits, weights from 10 and 11 down.
func isBrazilian(s string) bool {
	var n digits
	if !n.add(s) || n.n != 11 {
		return false
	}
	same := true
	for k := range 11 {
		same = same && n.d[k] == n.d[0]
	}
	for _, count := range []int{9, 10} {
		sum := 0
		for k := range count {
			sum += int(n.d[k]) * (count + 1 - k)
		}
		if sum*10%11%10 != int(n.d[count]) {
			return false
		}
	}
	return !same
}

// isSwiss checks an AHV number: 756 and the check digit of an EAN-13.
func isSwiss(s string) bool {
	var n digits
	if !n.add(s) || n.n != 13 || n.number(0, 3) != 756 {
		return false
	}
	sum := 0
	for k := range 13 {
		sum += int(n.d[k]) * (1 + 2*(k%2))
	}
	return sum%10 == 0
}

// isSwedish checks YYMMDD-NNNC: a date and Luhn's digit.
func isSwedish(s string) bool {
	var n digits
	return n.add(s) && n.n == 10 && date(n.number(2, 4), n.number(4, 6)) && n.luhn()
}

const finnishLetters = "0123456789ABCDEFHJKLMNPRSTUVWXY"

// isFinnish checks DDMMYY, a sign for the century, NNN, and a letter mod 31.
func isFinnish(s string) bool {
	var n digits
	if !n.add(s[:len(s)-1]) || n.n != 9 || !date(n.number(2, 4), n.number(0, 2)) {
		return false
	}
	return finnishLetters[n.number(0, 9)%31] == s[len(s)-1]
}

// isFrench checks a NIR: sex, month, and the key 97 - n mod 97.
func isFrench(s string) bool {
	var n digits
	if !n.add(s) || n.n != 15 || n.d[0] != 1 && n.d[0] != 2 {
		return false
	}
	month := n.number(3, 5)
	return month >= 1 && month <= 12 && 97-n.number(0, 13)%97 == n.number(13, 15)
}

const spanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

// isSpanish checks a DNI, eight digits and a letter, or an NIE, whose first is
// X, Y or Z.
func isSpanish(s string) bool {
	v := uint64(0)
	for k := range 8 {
		c := s[k]
		switch {
		case isDigit(c):
			v = v*10 + uint64(c-'0')
		case k == 0 && c >= 'X' && c <= 'Z':
			v = uint64(c - 'X')
		default:
			return false
		}
	}
	return s != "00000000T" && s != "12345678Z" && s[8] == spanishLetters[v%23]
}

// The values of characters at odd places of an Italian code, 0 to 9 and A to Z.
var italianDigits = [...]byte{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}

var italianLetters = [...]byte{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// isItalian checks a codice fiscale: its letters and digits, and the last letter.
func isItalian(s string) bool {
	sum := 0
	for k := range 15 {
		c := s[k]
		wantLetter := k < 6 || k == 8 || k == 11
		if wantLetter != isUpper(c) && !(strings.IndexByte("LMNPQRSTUV", c) >= 0 && !wantLetter) {
			return false
		}
		switch {
		case k%2 == 0 && isDigit(c):
			sum += int(italianDigits[c-'0'])
		case k%2 == 0:
			sum += int(italianLetters[c-'A'])
		case isDigit(c):
			sum += int(c - '0')
		default:
			sum += int(c - 'A')
		}
	}
	return strings.IndexByte("ABCDEHLMPRST", s[8]) >= 0 && s[15] == byte('A'+sum%26)
}

var chineseWeights = [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// isChinese checks a resident's number: a region, a date, and the digit of
// ISO 7064 mod 11-2, of which X is ten.
func isChinese(s string) bool {
	var n digits
	if run(s, 0) < 17 || !n.add(s[:17]) {
		return false
	}
	year := n.number(6, 10)
	if n.d[0] == 0 || year < 1900 || year > 2099 || !date(n.number(10, 12), n.number(12, 14)) {
		return false
	}
	sum := 0
	for k, w := range chineseWeights {
		sum += int(n.d[k]) * w
	}
	return "10X98765432"[sum%11] == s[17]
}
