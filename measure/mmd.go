package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// ConventionMMD names the kernel (Gaussian, over columns standardised by the
// reference), its approximation and the scale of the value.
const ConventionMMD = "mmd/rff_effect@1"

// MMDOptions say how two samples are embedded.
type MMDOptions struct {
	// Frequencies is how many random frequencies stand for the kernel; its error
	// falls with their root. 256 is plenty for a few dozen columns.
	Frequencies int
	// Bandwidth is the Gaussian kernel's deviation, in standardised columns, from
	// 1e-9 to 1e9; 0 takes the median distance between rows of the reference.
	Bandwidth float64
	// Permutations is how many random relabellings the p-value is taken from;
	// 0 gives none. It cannot come out below 1/(Permutations+1).
	Permutations int
	// Seed is where frequencies and permutations come from.
	Seed uint64
}

// MMDResult is a maximum mean discrepancy with what explains it.
type MMDResult struct {
	// Estimate holds the effect size: how far the two means are apart in the
	// kernel's space, over the deviation within the samples. It does not grow
	// with the number of rows, as a p-value shrinks.
	Estimate  Estimate
	Squared   float64  // MMD^2, unbiased: noise makes it negative as often as positive
	Bandwidth float64  // the one that was used
	P         *float64 // of no difference; nil without permutations
}

// MMD compares two samples of rows in all columns together, for windows that are
// kept as samples; it takes 16 bytes per row and frequency. With z the embedding of a row in cosines and sines of random
// frequencies, which has length 1 and makes z.z' the Gaussian kernel but for the
// error of the approximation,
//
//	MMD^2 = (n |mean z_ref|^2 - 1)/(n-1) + (m |mean z_cur|^2 - 1)/(m-1) - 2 mean z_ref . mean z_cur
//
// and the effect size is sqrt(max(0, MMD^2) / v), v the variance within the two
// samples. It is 0 or more and has no upper end where one sample is a single
// point in the kernel's space; the order of rows does not matter. The same input,
// options and seed give the same result.
//
// Undefined for fewer than two rows on either side, rows of different length,
// numbers that are not finite, a reference that is constant in every column,
// samples without variance, and options out of range. Gretton et al., A Kernel
// Two-Sample Test (2012); Rahimi and Recht, Random Features for Large-Scale
// Kernel Machines (2007).
func MMD(reference, current [][]float64, o MMDOptions) (MMDResult, error) {
	if o.Frequencies < 1 || o.Permutations < 0 || len(current) < 2 {
		return MMDResult{}, fmt.Errorf("mmd: options %+v over %d current rows: %w", o, len(current), ErrUndefined)
	}
	standard, err := fitStandard(reference)
	if err != nil {
		return MMDResult{}, fmt.Errorf("mmd: reference: %w", err)
	}
	rows, err := standard.rows(slices.Concat(reference, current))
	if err != nil {
		return MMDResult{}, fmt.Errorf("mmd: %w", err)
	}
	bandwidth := o.Bandwidth
	if bandwidth == 0 {
		bandwidth = medianDistance(rows[:len(reference)]) // 0 where most rows are the same
	}
	if !(bandwidth >= 1e-9 && bandwidth <= 1e9) {
		return MMDResult{}, fmt.Errorf("mmd: a bandwidth of %v: %w", bandwidth, ErrUndefined)
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	embedded := embed(rows, o.Frequencies, bandwidth, random)
	total := sumRows(embedded)
	squared, within := discrepancy(sumRows(embedded[:len(reference)]), total, len(reference), len(current))
	if !(within > 1e-12) {
		return MMDResult{}, fmt.Errorf("mmd: no variance within the samples at a bandwidth of %v: %w", bandwidth, ErrUndefined)
	}
	result := MMDResult{
		Estimate:  Estimate{Value: math.Sqrt(max(0, squared) / within), Samples: uint64(len(current)), Convention: ConventionMMD},
		Squared:   squared,
		Bandwidth: bandwidth,
	}
	if o.Permutations > 0 {
		p := permutationTest(embedded, total, len(reference), squared, o.Permutations, random)
		result.P = &p
	}
	return result, nil
}

// discrepancy is the unbiased MMD^2 and the variance within two samples, from
// the sum of the first sample's embedded rows and that of all.
func discrepancy(first, total []float64, n, m int) (squared, within float64) {
	var ref, cur, both float64 // of the two means: squares and product
	for i, s := range first {
		a, b := s/float64(n), (total[i]-s)/float64(m)
		ref += float64(a * a)
		cur += float64(b * b)
		both += float64(a * b)
	}
	squared = (float64(float64(n)*ref)-1)/float64(n-1) + (float64(float64(m)*cur)-1)/float64(m-1) - 2*both
	within = (float64(float64(n)*(1-ref)) + float64(float64(m)*(1-cur))) / float64(n+m-2)
	return squared, within
}

// permutationTest is the share of relabellings, the given one among them, in
// which the discrepancy is at least as large.
func permutationTest(embedded [][]float64, total []float64, n int, squared float64, permutations int, random *rand.Rand) float64 {
	order := slices.Clone(embedded)
	atLeast := 1
	for range permutations {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if s, _ := discrepancy(sumRows(order[:n]), total, n, len(order)-n); s >= squared {
			atLeast++
		}
	}
	return float64(atLeast) / float64(permutations+1)
}

// embed gives each row cosines and sines of its products with random
// frequencies, over the root of their number: a vector of length 1.
func embed(rows [][]float64, frequencies int, bandwidth float64, random *rand.Rand) [][]float64 {
	waves := make([][]float64, frequencies)
	for k := range waves {
		waves[k] = make([]float64, len(rows[0]))
		for j := range waves[k] {
			waves[k][j] = random.NormFloat64() / bandwidth
		}
	}
	scale := 1 / math.Sqrt(float64(frequencies))
	out := make([][]float64, len(rows))
	for i, row := range rows {
		out[i] = make([]float64, 2*frequencies)
		for k, wave := range waves {
			sine, cosine := math.Sincos(dot(wave, row))
			out[i][2*k], out[i][2*k+1] = float64(scale*cosine), float64(scale*sine)
		}
	}
	return out
}

func sumRows(rows [][]float64) []float64 {
	total := make([]float64, len(rows[0]))
	for _, row := range rows {
		for i, x := range row {
			total[i] += x
		}
	}
	return total
}

// medianRows is how many rows, evenly spread, the median distance is taken of.
const medianRows = 300

// medianDistance is the median Euclidean distance between rows.
func medianDistance(rows [][]float64) float64 {
	taken := rows
	if len(rows) > medianRows {
		taken = make([][]float64, medianRows)
		for i := range taken {
			taken[i] = rows[i*len(rows)/medianRows]
		}
	}
	var distances []float64
	for i, a := range taken {
		for _, b := range taken[:i] {
			var square float64
			for j, x := range a {
				square += float64((x - b[j]) * (x - b[j]))
			}
			distances = append(distances, math.Sqrt(square))
		}
	}
	slices.Sort(distances)
	return quantile(distances, 0.5)
}
