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
// kept as samples; it takes 16 bytes per row and frequency. Kernel.MMD gives the
// same value for windows of which only sums are kept. With z the embedding of a
// row (see Embedder), which has length 1 and makes z.z' the Gaussian kernel but
// for the error of the approximation,
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
	bandwidth := o.Bandwidth
	if bandwidth == 0 { // what it finds is 0 where most rows are the same
		if bandwidth, err = medianDistance(&standard, reference); err != nil {
			return MMDResult{}, fmt.Errorf("mmd: reference: %w", err)
		}
	}
	if err := checkBandwidth(bandwidth); err != nil {
		return MMDResult{}, fmt.Errorf("mmd: %w", err)
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	embedded, err := newEmbedder(&standard, o.Frequencies, bandwidth, random).rows(slices.Concat(reference, current))
	if err != nil {
		return MMDResult{}, fmt.Errorf("mmd: %w", err)
	}
	n := len(reference)
	d := discrepancyOf(sumRows(embedded[:n]), sumRows(embedded[n:]), uint64(n), uint64(len(current)))
	estimate, err := d.effect(uint64(len(current)), bandwidth)
	if err != nil {
		return MMDResult{}, err
	}
	result := MMDResult{Estimate: estimate, Squared: d.squared, Bandwidth: bandwidth}
	if o.Permutations > 0 {
		p := permutationTest(embedded, n, o.Permutations, random)
		result.P = &p
	}
	return result, nil
}

// discrepancy is the unbiased MMD^2 and the variance within two samples.
type discrepancy struct{ squared, within float64 }

// discrepancyOf takes the sums of the embedded rows of both samples, n and m rows.
func discrepancyOf(reference, current []float64, n, m uint64) discrepancy {
	var ref, cur, both float64 // of the two means: squares and product
	for i, s := range reference {
		a, b := s/float64(n), current[i]/float64(m)
		ref += float64(a * a)
		cur += float64(b * b)
		both += float64(a * b)
	}
	return discrepancy{
		squared: (float64(float64(n)*ref)-1)/(float64(n)-1) + (float64(float64(m)*cur)-1)/(float64(m)-1) - 2*both,
		within:  (float64(float64(n)*(1-ref)) + float64(float64(m)*(1-cur))) / (float64(n) + float64(m) - 2),
	}
}

// effect is the effect size.
func (d discrepancy) effect(rows uint64, bandwidth float64) (Estimate, error) {
	value := math.Sqrt(max(0, d.squared) / d.within)
	if !(d.within > 1e-12) || math.IsNaN(value) || math.IsInf(value, 0) {
		return Estimate{}, fmt.Errorf("mmd: no variance within the samples at a bandwidth of %v: %w", bandwidth, ErrUndefined)
	}
	return Estimate{Value: value, Samples: rows, Convention: ConventionMMD}, nil
}

// permutationTest is the share of relabellings, the given one among them, in
// which the discrepancy is at least as large. The first n rows are the reference.
func permutationTest(embedded [][]float64, n, permutations int, random *rand.Rand) float64 {
	order := slices.Clone(embedded)
	total := sumRows(order)
	squared := func() float64 {
		first := sumRows(order[:n])
		rest := make([]float64, len(total))
		for i, s := range first {
			rest[i] = total[i] - s
		}
		return discrepancyOf(first, rest, uint64(n), uint64(len(order)-n)).squared
	}
	given, atLeast := squared(), 1
	for range permutations {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if squared() >= given {
			atLeast++
		}
	}
	return float64(atLeast) / float64(permutations+1)
}

// rows embeds each row of a sample.
func (e *Embedder) rows(sample [][]float64) ([][]float64, error) {
	out := make([][]float64, len(sample))
	for i, row := range sample {
		out[i] = make([]float64, e.Size())
		if !e.Add(row, out[i]) {
			return nil, fmt.Errorf("row %d has %d columns or a number that is not finite, the reference has %d: %w", i, len(row), len(e.standard.Mean), ErrUndefined)
		}
	}
	return out, nil
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

// medianDistance is the median Euclidean distance between standardised rows.
func medianDistance(standard *Standard, sample [][]float64) (float64, error) {
	taken := sample
	if len(sample) > medianRows {
		taken = make([][]float64, medianRows)
		for i := range taken {
			taken[i] = sample[i*len(sample)/medianRows]
		}
	}
	taken, err := standard.rows(taken)
	if err != nil {
		return 0, err
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
	return quantile(distances, 0.5), nil
}
