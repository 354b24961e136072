package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// queryData is the data of query and query_range.
type queryData struct {
	ResultType parser.ValueType `json:"resultType"`
	Result     any              `json:"result"`
}

// point is [seconds, "value"]; NaN and infinities are words in the string.
type point struct {
	ms    int64
	value string
}

// MarshalJSON writes the pair.
func (p point) MarshalJSON() ([]byte, error) {
	value, err := json.Marshal(p.value)
	if err != nil {
		return nil, fmt.Errorf("encode value: %w", err)
	}
	seconds := strconv.FormatFloat(float64(p.ms)/1000, 'f', -1, 64)
	return fmt.Appendf(nil, "[%s,%s]", seconds, value), nil
}

func numberAt(ms int64, v float64) point {
	return point{ms, strconv.FormatFloat(v, 'f', -1, 64)}
}

type vectorSample struct {
	Metric map[string]string `json:"metric"`
	Value  point             `json:"value"`
}

type matrixSeries struct {
	Metric map[string]string `json:"metric"`
	Values []point           `json:"values"`
}

// errNative: the store keeps classic histograms, so no query has such a value.
var errNative = errs.E("encode result", errs.Other, errors.New("the result holds native histograms"), "")

// encodeValue gives a query's result the form of the Prometheus API.
func encodeValue(v parser.Value) (queryData, error) {
	data := queryData{ResultType: v.Type()}
	switch v := v.(type) {
	case promql.Vector:
		list := make([]vectorSample, 0, len(v))
		for _, s := range v {
			if s.H != nil {
				return data, errNative
			}
			list = append(list, vectorSample{s.Metric.Map(), numberAt(s.T, s.F)})
		}
		data.Result = list
	case promql.Matrix:
		list := make([]matrixSeries, 0, len(v))
		for _, s := range v {
			if len(s.Histograms) > 0 {
				return data, errNative
			}
			series := matrixSeries{Metric: s.Metric.Map(), Values: make([]point, 0, len(s.Floats))}
			for _, f := range s.Floats {
				series.Values = append(series.Values, numberAt(f.T, f.F))
			}
			list = append(list, series)
		}
		data.Result = list
	case promql.Scalar:
		data.Result = numberAt(v.T, v.V)
	case promql.String:
		data.Result = point{v.T, v.V}
	default:
		return data, errs.E("encode result", errs.Other, fmt.Errorf("a result of type %s", v.Type()), "")
	}
	return data, nil
}

// parseTime reads RFC 3339 or seconds since the Unix epoch; empty means absent.
func parseTime(s string, absent time.Time) (time.Time, error) {
	if s == "" {
		return absent, nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/1000 {
			return absent, fmt.Errorf("%q is out of range", s)
		}
		whole, part := math.Modf(seconds)
		return time.Unix(int64(whole), int64(math.Round(part*1000))*int64(time.Millisecond)).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return absent, fmt.Errorf("%q is neither seconds nor RFC 3339", s)
	}
	return t.UTC(), nil
}

// parseStep reads seconds or a Prometheus duration; empty means absent.
func parseStep(s string, absent time.Duration) (time.Duration, error) {
	if s == "" {
		return absent, nil
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/float64(time.Second) {
			return absent, fmt.Errorf("%q is out of range", s)
		}
		return time.Duration(seconds * float64(time.Second)), nil
	}
	d, err := prommodel.ParseDuration(s)
	if err != nil {
		return absent, fmt.Errorf("%q is neither seconds nor a duration", s)
	}
	return time.Duration(d), nil
}
