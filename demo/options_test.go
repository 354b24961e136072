package demo

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultOptionsAreValid(t *testing.T) {
	o := DefaultOptions()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryBadOptionIsNamed(t *testing.T) {
	for _, c := range []struct {
		change func(*Options)
		says   string
	}{
		{func(o *Options) { o.Rate = 0 }, "--rate 0"},
		{func(o *Options) { o.Rate = 30_000 }, "--rate 30000"},
		{func(o *Options) { o.Window = time.Millisecond }, "--window 1ms"},
		{func(o *Options) { o.Window = 2500 * time.Millisecond }, "whole seconds"},
		{func(o *Options) { o.ShiftAfter = -1 }, "--shift-after"},
		{func(o *Options) { o.Timeout = 0 }, "--timeout 0s"},
		{func(o *Options) { o.Once, o.Timeout = true, 20*time.Second }, "over before the shift"},
		{func(o *Options) { o.Rate, o.Window = 20, 2*time.Second }, "mostly noise"},
		{func(o *Options) { o.Data = &File{Path: "f.csv"} }, "--outcome COLUMN"},
		{func(o *Options) { o.Data = &File{Path: "f.csv", Outcome: "a", Protected: "b"} }, "--favourable VALUE"},
		{func(o *Options) { o.Data = &File{Path: "f.csv", Outcome: "a", Reference: "b"} }, "--protected COLUMN"},
		{func(o *Options) {
			o.Data = &File{Path: "f.csv", Outcome: "a", Protected: "a", Favourable: []string{"1"}}
		}, "both name a"},
	} {
		o := DefaultOptions()
		c.change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
}
