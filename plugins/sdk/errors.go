package sdk

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// kinded is an error of which the collector knows what to do.
type kinded struct {
	code codes.Code
	err  error
}

func (e *kinded) Error() string              { return e.err.Error() }
func (e *kinded) Unwrap() error              { return e.err }
func (e *kinded) GRPCStatus() *status.Status { return status.New(e.code, e.err.Error()) }

// Retryable says that the same call may succeed later: the other side is away,
// slow, or asks for patience.
func Retryable(format string, args ...any) error {
	return &kinded{codes.Unavailable, fmt.Errorf(format, args...)}
}

// Invalid says that this call can never succeed: the configuration or the
// event is refused.
func Invalid(format string, args ...any) error {
	return &kinded{codes.InvalidArgument, fmt.Errorf(format, args...)}
}

// NotFound says that the ticket does not exist.
func NotFound(format string, args ...any) error {
	return &kinded{codes.NotFound, fmt.Errorf(format, args...)}
}

// Unsupported says that this sink cannot do that at all, as Describe said.
func Unsupported(call string) error {
	return &kinded{codes.Unimplemented, fmt.Errorf("this sink has no %s", call)}
}

// toStatus gives an author's error the code that travels. What has no kind is
// worth another try.
func toStatus(err error) error {
	var k *kinded
	switch {
	case err == nil:
		return nil
	case errors.As(err, &k):
		return status.Error(k.code, err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Unavailable, err.Error())
}
