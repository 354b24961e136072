package clickhouse

import (
	"context"
	"fmt"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Replicas gives all claims of replicas' numbers; see model.ReplicaStore.
func (s *Store) Replicas(ctx context.Context) ([]model.ReplicaClaim, error) {
	var out []model.ReplicaClaim
	err := s.query(ctx, "read replicas", "SELECT DISTINCT number, id FROM replicas ORDER BY number, id", nil,
		func(rows driver.Rows) error {
			var c model.ReplicaClaim
			err := rows.Scan(&c.Number, &c.ID)
			out = append(out, c)
			return err
		})
	return out, err
}

// ClaimReplica adds a claim; see model.ReplicaStore.
func (s *Store) ClaimReplica(ctx context.Context, claim model.ReplicaClaim) error {
	err := s.exec(ctx, "INSERT INTO replicas (number, id) VALUES ({number:UInt32}, {id:String})",
		ch.Named("number", claim.Number), ch.Named("id", claim.ID))
	return classify(fmt.Sprintf("claim replica %d", claim.Number), err)
}
