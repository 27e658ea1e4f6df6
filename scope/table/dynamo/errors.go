package dynamo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/carrel-go/carrel/scope/table"
)

// Errors of this package, to be tested with [errors.Is]. An error of the SDK is wrapped
// together with the matching one. The Driver also returns [table.ErrBusy] after
// throttling and for transactions on the same item, and [table.ErrTooLarge] for items
// over 400 KB.
var (
	// ErrDenied is returned if the credentials do not allow the request. It does not
	// match scope.ErrDenied. A session policy denies everything outside its scope,
	// whether it exists or not.
	ErrDenied = errors.New("dynamo: access denied")
	// ErrNoTable is returned if the table or an index does not exist.
	ErrNoTable = errors.New("dynamo: table or index not found")
	// ErrRow is returned for a stored item that this package did not write, or with an
	// attribute that a [table.Value] cannot represent.
	ErrRow = errors.New("dynamo: not a row of this format")
	// ErrLayout is returned by [CreateTable] for a table with a different layout.
	ErrLayout = errors.New("dynamo: the table has another layout")
	// ErrInvalid is returned for an invalid table name, client or listed attribute.
	ErrInvalid = errors.New("dynamo: invalid")
)

var (
	errThrottled   error = busyError("dynamo: throttled")
	errTransaction error = busyError("dynamo: a transaction is in progress on the item")
	errValidation        = errors.New("dynamo: invalid request")
)

// busyError wraps [table.ErrBusy].
type busyError string

func (e busyError) Error() string { return string(e) }
func (busyError) Unwrap() error   { return table.ErrBusy }

// mapError adds the matching sentinel to an error of the SDK. For the codes see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
func mapError(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("dynamo: %w", err)
	}
	var sentinel error
	switch api.ErrorCode() {
	case "ThrottlingException", "Throttling", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		sentinel = errThrottled
	case "TransactionConflictException", "ReplicatedWriteConflictException":
		sentinel = errTransaction
	case "AccessDeniedException":
		sentinel = ErrDenied
	case "ResourceNotFoundException":
		sentinel = ErrNoTable
	case "ValidationException":
		sentinel = errValidation
		if strings.HasPrefix(api.ErrorMessage(), "Item size ") {
			sentinel = table.ErrTooLarge
		}
	default:
		return fmt.Errorf("dynamo: %w", err)
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// mapWriteError is mapError for a conditional write, whose exception contains the item. It returns nil for nil.
func mapWriteError(err error) error {
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return mapError(err)
	}
	if len(failed.Item) == 0 {
		return &table.RowConflictError{}
	}
	r, err := decodeRow(failed.Item)
	if err != nil {
		return err
	}
	return &table.RowConflictError{Current: &r}
}
