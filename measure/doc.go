// Package measure holds the statistics as pure functions of counts: no time,
// no context, no I/O, no randomness that is not an argument.
//
// Every result is an Estimate that carries its convention, its sample size and
// an interval where one exists. A quantity that is not defined for its input is
// ErrUndefined, never 0, NaN or infinity. Products that are added to something
// are rounded first, float64(x*y) + z, since the compiler fuses the two on
// some CPUs and a verdict must not depend on the CPU.
package measure

import "errors"

// ErrUndefined says that the quantity does not exist for this input.
var ErrUndefined = errors.New("undefined")

// Estimate is a measured value with its interval.
type Estimate struct {
	Value      float64
	Lower      *float64 // nil: no interval, or no lower limit
	Upper      *float64 // nil: no interval, or no upper limit
	Samples    uint64   // rows of the current window behind the value
	Convention string   // for example psi/quantile10@1
}

// Proportion is a count of favourable outcomes among all.
type Proportion struct {
	Favourable, Total uint64
}
