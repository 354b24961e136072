package clickhouse

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// The server's error codes that callers treat differently. Whatever is not
// listed is errs.Other: a fault of ours, for which trying again is no cure.
var kinds = map[int32]errs.Kind{
	159: errs.Unavailable, // TIMEOUT_EXCEEDED
	160: errs.Unavailable, // TOO_SLOW
	198: errs.Unavailable, // DNS_ERROR
	202: errs.Unavailable, // TOO_MANY_SIMULTANEOUS_QUERIES
	203: errs.Unavailable, // NO_FREE_CONNECTION
	209: errs.Unavailable, // SOCKET_TIMEOUT
	210: errs.Unavailable, // NETWORK_ERROR
	216: errs.Unavailable, // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
	225: errs.Unavailable, // NO_ZOOKEEPER
	236: errs.Unavailable, // ABORTED: the server is leaving
	241: errs.Unavailable, // MEMORY_LIMIT_EXCEEDED
	242: errs.Unavailable, // TABLE_IS_READ_ONLY: the keeper is away
	243: errs.Unavailable, // NOT_ENOUGH_SPACE
	246: errs.Unavailable, // CORRUPTED_DATA: what it read of a disk or a peer, never what we sent
	252: errs.Unavailable, // TOO_MANY_PARTS
	279: errs.Unavailable, // ALL_CONNECTION_TRIES_FAILED
	285: errs.Unavailable, // TOO_FEW_LIVE_REPLICAS
	319: errs.Unavailable, // UNKNOWN_STATUS_OF_INSERT
	394: errs.Unavailable, // QUERY_WAS_CANCELLED
	425: errs.Unavailable, // SYSTEM_ERROR
	439: errs.Unavailable, // CANNOT_SCHEDULE_TASK
	735: errs.Unavailable, // QUERY_WAS_CANCELLED_BY_CLIENT
	745: errs.Unavailable, // SERVER_OVERLOADED
	999: errs.Unavailable, // KEEPER_EXCEPTION

	192: errs.Denied, // UNKNOWN_USER
	193: errs.Denied, // WRONG_PASSWORD
	194: errs.Denied, // REQUIRED_PASSWORD
	497: errs.Denied, // ACCESS_DENIED
	516: errs.Denied, // AUTHENTICATION_FAILED

	36:  errs.Invalid,  // BAD_ARGUMENTS
	427: errs.Invalid,  // CANNOT_COMPILE_REGEXP
	81:  errs.NotFound, // UNKNOWN_DATABASE
}

// hints are the cures of kinds that the configuration can cure.
var hints = map[errs.Kind]string{
	errs.Denied:   "check clickhouse.user and clickhouse.password_file; the account needs all rights on the database",
	errs.NotFound: "check clickhouse.database",
}

// lost are the ways in which a connection or a caller's patience ends.
var lost = []error{
	context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, ch.ErrAcquireConnTimeout, ch.ErrConnectionClosed,
}

// classify wraps what went wrong with its kind. A nil error stays nil.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	kind := kindOf(err)
	return errs.E(op, kind, err, hints[kind])
}

func kindOf(err error) errs.Kind {
	var known *errs.Error
	var server *ch.Exception
	var status *ch.HTTPError
	var network net.Error
	switch {
	case errors.As(err, &known):
		return known.Kind
	case errors.As(err, &server):
		return kinds[server.Code]
	case errors.As(err, &status) && status.StatusCode >= http.StatusInternalServerError:
		return errs.Unavailable
	case errors.As(err, &network), slices.ContainsFunc(lost, func(l error) bool { return errors.Is(err, l) }):
		return errs.Unavailable
	}
	return errs.Other
}
