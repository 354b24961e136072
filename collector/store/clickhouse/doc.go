// Package clickhouse is the collector's store: it implements model.Store on
// the embedded engine and on a ClickHouse server with the same code and SQL.
//
//	ingest, fleet, evaluate, register, notify
//	    | model.Rows of one batch
//	    v
//	write.go     cuts the batch: one INSERT = one batch x one table x one day
//	in_doubt.go  after an unclear outcome: asks what is there, before and after
//	table.go     columns filled, submitted once; the insert_*.go list them
//	    v
//	ClickHouse tables (migrations/*.sql)
//	    v
//	select_*.go  readers for PromQL, fleet, evaluate, register
//
// Exactly once rests on the column batch, which every row carries: one INSERT
// is one block and so stored wholly or not at all, and after an unclear
// outcome count() tells which. The deduplication token is only a first net
// (see Store.store).
package clickhouse
