package detect

// findCards counts payment cards' numbers: together, or in the groups in which
// they are printed.
func findCards(text string) (n uint64) {
	for i := nextDigit(text, 0); i < len(text); {
		end := run(text, i)
		if startsHere(text, i) {
			if to, ok := cardAt(text, i, end); ok {
				n++
				end = to
			}
		}
		i = nextDigit(text, end)
	}
	return n
}

// cardGroups are the ways in which numbers are printed.
var cardGroups = [...][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}}

func cardAt(text string, i, end int) (to int, ok bool) {
	if end-i >= 13 {
		return end, isCard(text, i, end)
	}
	if end-i != 4 {
		return 0, false
	}
	sep := at(text, end)
	if sep != ' ' && sep != '-' {
		return 0, false
	}
	for _, sizes := range cardGroups {
		if to, ok := groups(text, i, sep, sizes...); ok && isCard(text, i, to) {
			return to, true
		}
	}
	return 0, false
}

func isCard(text string, i, end int) bool {
	var n digits
	if end-i > 24 || !endsHere(text, end) || !n.add(text[i:end]) {
		return false
	}
	return n.n >= 13 && n.n <= 19 && isIssued(&n) && !isTestCard(&n) && n.luhn()
}

// isIssued says whether the beginning is a network's and the length fits it.
func isIssued(n *digits) bool {
	four := n.number(0, 4)
	two, three := four/100, four/10
	switch {
	case n.d[0] == 4: // Visa
		return n.n == 13 || n.n == 16 || n.n == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return n.n == 16
	case two == 34, two == 37: // American Express
		return n.n == 15
	case two == 36, two == 38, three >= 300 && three <= 305: // Diners Club
		return n.n == 14
	case four == 6011, two == 65, three >= 644 && three <= 649, four >= 3528 && four <= 3589, two == 62: // Discover, JCB, UnionPay
		return n.n >= 16
	}
	return false
}

// testCards are numbers that networks and payment services publish for tests:
// they are nobody's.
var testCards = [...]uint64{
	4111111111111111, 4242424242424242, 4000056655665556, 4012888888881881, 4222222222222, 5555555555554444, 5105105105105100,
	5200828282828210, 2223003122003222, 378282246310005, 371449635398431, 6011111111111117, 6011000990139424, 30569309025904,
	38520000023237, 3530111333300000, 3566002020360505, 6200000000000005,
}

func isTestCard(n *digits) bool {
	v := n.number(0, n.n)
	for _, t := range testCards {
		if v == t {
			return true
		}
	}
	return false
}
