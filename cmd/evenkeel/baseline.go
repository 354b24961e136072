package main

import "github.com/spf13/cobra"

func newBaseline() *cobra.Command {
	return newGroup("baseline", "Make the reference that windows are compared with, and decide about it",
		newBaselineBuild(), newBaselinePush(), newBaselineList(), newBaselineShow(),
		newBaselineDecide(approveBaseline), newBaselineDecide(withdrawBaseline))
}
