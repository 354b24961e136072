package measure

import (
	"math"
	"math/rand/v2"
)

// When the power iteration for an axis ends: where a step turns it by less than
// about 1e-7 radians, or after so many steps, between axes of nearly the same
// variance. What it then is, is some mix of these: as good an axis.
const (
	powerTurn  = 1e-14
	powerSteps = 1000
)

// negligibleVariance is the variance along an axis, where a column has 1, from
// which on it is rounding.
const negligibleVariance = 1e-9

// principalAxes are up to n unit vectors along which a symmetric matrix has most
// variance, in falling order, by power iteration, each kept at a right angle to
// the ones before. There are fewer where no variance is left.
func principalAxes(matrix [][]float64, n int, random *rand.Rand) [][]float64 {
	var axes [][]float64
	for len(axes) < min(n, len(matrix)) {
		axis, variance := powerAxis(matrix, axes, random)
		if variance < negligibleVariance {
			break
		}
		axes = append(axes, upright(axis))
	}
	return axes
}

// powerAxis is the axis of most variance at a right angle to the others.
func powerAxis(matrix, others [][]float64, random *rand.Rand) (axis []float64, variance float64) {
	axis = randomDirection(random, len(matrix))
	if !straighten(axis, others) {
		return axis, 0
	}
	image := make([]float64, len(axis))
	for range powerSteps {
		for i, line := range matrix {
			image[i] = dot(line, axis)
		}
		variance = dot(image, axis)
		if !straighten(image, others) {
			return axis, 0
		}
		cosine := dot(image, axis)
		axis, image = image, axis
		if 1-cosine < powerTurn {
			break
		}
	}
	return axis, variance
}

// straighten takes out of v, in place, what lies along the others, and makes it
// of length 1; false where nothing is left. Twice, since rounding leaves a rest.
func straighten(v []float64, others [][]float64) bool {
	for range 2 {
		for _, o := range others {
			along := dot(v, o)
			for i := range v {
				v[i] -= float64(along * o[i])
			}
		}
	}
	size := math.Sqrt(dot(v, v))
	if !(size > 1e-12) {
		return false
	}
	for i := range v {
		v[i] /= size
	}
	return true
}

// upright turns an axis so that its largest component is positive: the other
// sign would be as right, and this way there is one.
func upright(axis []float64) []float64 {
	largest := 0
	for i, x := range axis {
		if math.Abs(x) > math.Abs(axis[largest]) {
			largest = i
		}
	}
	if axis[largest] < 0 {
		for i := range axis {
			axis[i] = -axis[i]
		}
	}
	return axis
}

// randomDirection is a unit vector, every direction being equally likely.
func randomDirection(random *rand.Rand, columns int) []float64 {
	for {
		v := make([]float64, columns)
		for i := range v {
			v[i] = random.NormFloat64()
		}
		if straighten(v, nil) {
			return v
		}
	}
}

func dot(a, b []float64) float64 {
	var total float64
	for i, x := range a {
		total += float64(x * b[i])
	}
	return total
}
