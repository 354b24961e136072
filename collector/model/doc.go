// Package model holds the collector's data: what is stored, in which shape,
// and the port through which the stages reach the store. It knows no database,
// no protocol and no clock.
//
//	ingest, fleet, evaluate, register, notify -> Rows -> Writer
//	fleet, evaluate, register, notify, api   <- the readers below
//
// collector/store/clickhouse implements every interface of this package.
package model
