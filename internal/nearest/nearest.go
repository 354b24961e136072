// Package nearest finds the name that was probably meant, for error messages.
package nearest

// Name gives the known name within two edits of the one that was written, the
// closest first; "" where there is none.
func Name(written string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(written, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is Levenshtein's edit distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
