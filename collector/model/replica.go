package model

import "context"

// ReplicaClaim says that a data folder wants a replica's number.
type ReplicaClaim struct {
	Number uint32
	ID     string // of the data folder
}

// ReplicaStore keeps who has which number. What ClaimReplica wrote is in every
// answer of Replicas that is asked for after it returned.
type ReplicaStore interface {
	// Replicas gives all claims, by number.
	Replicas(ctx context.Context) ([]ReplicaClaim, error)
	ClaimReplica(ctx context.Context, claim ReplicaClaim) error
}
