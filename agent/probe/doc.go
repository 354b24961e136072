// Package probe asks the model server known cases and sees whether it still
// answers as it should.
//
//	file of cases -> Prober -> model server -> Decode -> agrees, differs or failed -> Account
//
// The cases go straight to the model server, not through the agent's own port, so
// that monitoring never waits for them nor they for it. They are marked (Header
// and IDPrefix), so that whoever sees them pass, this agent or another, leaves
// them out of what it counts of real requests.
//
// A model server that is away is a failure that is counted; it says nothing about
// how the model answers.
package probe
