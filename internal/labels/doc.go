// Package labels reads labels, how predictions turned out, from the bodies of
// requests: JSON, JSON lines or CSV, an item at a time. Whoever takes labels
// reads them alike: the collector, which stores them, and the agent, which joins
// them where single predictions may not leave.
//
//	body -> Plain -> Open -> Source -> Read -> (parts of many labels) -> take
package labels
