package detect

// ibanLengths are the countries with IBANs and the length of theirs, as in
// ISO 13616's register.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18" +
	"FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27" +
	"MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20"

const maxIBAN = 34

// lengthOfIBAN gives how long a country's IBANs are; 0: it has none.
func lengthOfIBAN(a, b byte) int {
	for i := 0; i < len(ibanLengths); i += 4 {
		if ibanLengths[i] == a && ibanLengths[i+1] == b {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

// findIBANs counts account numbers in capitals, together or in groups of four.
func findIBANs(text string) (n uint64) {
	for i := 0; i+4 <= len(text); i++ {
		if !isUpper(text[i]) || !isUpper(text[i+1]) || !isDigit(text[i+2]) || !isDigit(text[i+3]) || isWord(at(text, i-1)) {
			continue
		}
		length := lengthOfIBAN(text[i], text[i+1])
		if length == 0 {
			continue
		}
		if end, ok := ibanAt(text, i, length); ok {
			n++
			i = end - 1
		}
	}
	return n
}

// ibanAt reads an IBAN of that length and checks it.
func ibanAt(text string, i, length int) (end int, ok bool) {
	var c [maxIBAN]byte
	grouped := at(text, i+4) == ' '
	for k := range length {
		if grouped && k > 0 && k%4 == 0 {
			if at(text, i) != ' ' {
				return 0, false
			}
			i++
		}
		b := at(text, i)
		if !isDigit(b) && !isUpper(b) {
			return 0, false
		}
		c[k] = b
		i++
	}
	if isWord(at(text, i)) {
		return 0, false
	}
	rest := 0
	for k := range length {
		b := c[(k+4)%length]
		if isDigit(b) {
			rest = (rest*10 + int(b-'0')) % 97
		} else {
			rest = (rest*100 + int(b-'A') + 10) % 97
		}
	}
	return i, rest == 1
}
