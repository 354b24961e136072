package signal

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/measure"
)

// TextColumn is a column of texts that is to be described.
type TextColumn struct {
	Column   Column // of strings; its name is that under which the agent sees it
	Trigrams int    // cells of hashed trigrams; 0: 512, below 0: none
}

// defaultTrigrams is a compromise: more cells see finer changes of language, and
// make more noise in a window of few texts. Over 500 sentences of technical
// English, the Jensen-Shannon distance of an unchanged and of another topic is 0.02
// and 0.05 in 64 cells, 0.03 and 0.1 in 256, 0.05 and 0.13 in 512, 0.07 and 0.17 in
// 1,024. DRF-04 has its limit at 0.1.
const defaultTrigrams = 512

// text adds the descriptions of a text as columns.
func (b *builder) text(t TextColumn) error {
	c := t.Column
	if c.Strings == nil || uint64(c.rows()) != b.Rows {
		return fmt.Errorf("%d rows of text are needed, as many as the other columns have", b.Rows)
	}
	set := TextBaseline{Column: c.Name, Trigrams: max(0, cmp.Or(t.Trigrams, defaultTrigrams))}
	var described TextDescriptions
	set.Describe(&c, 0, c.rows(), &described)
	for _, column := range described.Columns {
		if err := b.column(column); err != nil {
			return err
		}
	}
	if set.Trigrams > 0 {
		b.feature(trigramFeature(&set, &c, described.Trigrams), source{c.rows(), func(f *FeatureBaseline, from, to int) *Distribution {
			var part TextDescriptions
			set.Describe(&c, from, to, &part)
			return &Distribution{Target: TargetText, Feature: f.Name, Kind: Categorical, Counts: part.Trigrams, N: total(part.Trigrams), Min: math.NaN(), Max: math.NaN()}
		}})
	}
	b.Texts = append(b.Texts, set)
	return nil
}

func trigramFeature(t *TextBaseline, texts *Column, counts []uint64) *FeatureBaseline {
	return &FeatureBaseline{
		Name: t.Name(TextTrigrams), Target: TargetText, Kind: Categorical,
		Categories: trigramCells(t.Trigrams), Counts: counts, N: total(counts),
		Deflation: trigramDeflation(t, texts),
	}
}

// deflationTexts is how many texts, evenly spread, tell how much trigrams cluster.
const deflationTexts = 2000

// trigramDeflation is by how much the counts of trigrams vary more than those of
// independent trigrams would: a text holds many that belong together, so each
// text is a window to measure it by. 0 where it is not defined.
func trigramDeflation(t *TextBaseline, texts *Column) float64 {
	var tables [][]uint64
	var one TextDescriptions
	rows := texts.rows()
	for k := range min(rows, deflationTexts) {
		i := k * rows / min(rows, deflationTexts)
		t.Describe(texts, i, i+1, &one)
		tables = append(tables, append([]uint64(nil), one.Trigrams...))
	}
	phi, err := measure.Deflation(tables)
	if errors.Is(err, measure.ErrUndefined) {
		return 0
	}
	return phi
}
