package signal

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/evenkeel/evenkeel/internal/category"
)

// What an attribute may hold at most: far more than any window of ours.
const (
	maxElements = 1 << 16 // of an array
	maxText     = 4 << 20 // bytes of a text that is read further
)

// attrReader reads typed attributes and keeps the first fault.
type attrReader struct {
	attrs map[string]any
	err   error
}

func (r *attrReader) fail(key, why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", key, why)
	}
}

func (r *attrReader) text(key string) string {
	v, ok := r.attrs[key].(string)
	if !ok {
		r.fail(key, "missing, or not a string")
	}
	return v
}

func (r *attrReader) number(key string) float64 {
	v, ok := r.attrs[key].(float64)
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		r.fail(key, "missing, or not a finite double")
		return 0
	}
	return v
}

func (r *attrReader) count(key string) uint64 {
	v, ok := r.attrs[key].(int64)
	if !ok || v < 0 {
		r.fail(key, "missing, negative, or not an integer")
		return 0
	}
	return uint64(v)
}

func (r *attrReader) counts(key string) []uint64 {
	list, ok := r.attrs[key].([]any)
	if !ok {
		r.fail(key, "missing, or not an array")
		return nil
	}
	if len(list) > maxElements {
		r.fail(key, fmt.Sprintf("%d elements, more than %d", len(list), maxElements))
		return nil
	}
	out := make([]uint64, len(list))
	for i, e := range list {
		v, ok := e.(int64)
		if !ok || v < 0 {
			r.fail(fmt.Sprintf("%s[%d]", key, i), "negative, or not an integer")
			return nil
		}
		out[i] = uint64(v)
	}
	return out
}

// numbers reads an array of doubles; absent, it has none.
func (r *attrReader) numbers(key string) []float64 {
	if _, ok := r.attrs[key]; !ok {
		return nil
	}
	list, ok := r.attrs[key].([]any)
	if !ok || len(list) > maxElements {
		r.fail(key, fmt.Sprintf("not an array of at most %d elements", maxElements))
		return nil
	}
	out := make([]float64, len(list))
	for i, e := range list {
		v, ok := e.(float64)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			r.fail(fmt.Sprintf("%s[%d]", key, i), "not a finite double")
			return nil
		}
		out[i] = v
	}
	return out
}

// optional says whether the attribute is there.
func (r *attrReader) optional(key string) bool {
	_, ok := r.attrs[key]
	return ok
}

// json reads JSON from a text into target, which stays as it was where the
// attribute is absent.
func (r *attrReader) json(key string, target any) {
	if !r.optional(key) {
		return
	}
	text := r.text(key)
	if len(text) > maxText {
		r.fail(key, fmt.Sprintf("%d bytes, more than %d", len(text), maxText))
		return
	}
	if err := json.Unmarshal([]byte(text), target); err != nil {
		r.fail(key, err.Error())
	}
}

// maybeText is empty where the attribute is absent.
func (r *attrReader) maybeText(key string) string {
	if !r.optional(key) {
		return ""
	}
	return r.text(key)
}

// value reads a text, a number or a boolean as the text that it counts under.
func (r *attrReader) value(key string) string {
	switch v := r.attrs[key].(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return category.OfNumber(r.number(key))
	}
	return r.text(key)
}
