package main

import "github.com/spf13/cobra"

func newMeasure() *cobra.Command {
	group := newGroup("measure", "Measure files by what agents and collector measure by",
		newMeasureDrift(), newMeasureQuality(), newMeasureFairness(), newMeasurePerformance())
	group.Long = `Measures a file of current data against a file of reference data, with the code
that agents and collector run: the same bins, the same conventions, the same
intervals. Nothing is sent or written. What a value is judged by is a rule's
business (evenkeel rules check); these commands only measure.`
	return group
}
