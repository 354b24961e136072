// Package archtest holds the shape of the house by tests: who may import whom,
// and what the agent's binary is made of. It has no code of its own.
package archtest
