package dynamo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/carrel-go/carrel/scope/table"
)

// What DynamoDB refuses. Each is wrapped together with the SDK's own error;
// test with [errors.Is]. An item over 400 KB is [table.ErrTooLarge].
var (
	// ErrThrottled: DynamoDB asks for fewer requests, and still did after the
	// SDK's retries. It wraps [table.ErrBusy].
	ErrThrottled error = busyError("dynamo: throttled")
	// ErrTransaction: a transaction, or a write in another region, is at work
	// on the same item. It wraps [table.ErrBusy].
	ErrTransaction error = busyError("dynamo: a transaction is at work on the item")
	// ErrDenied: the credentials do not allow it. A session policy answers so
	// for everything outside its scope, whether it exists or not.
	ErrDenied = errors.New("dynamo: access denied")
	// ErrNoTable: there is no such table, or it lacks an index.
	ErrNoTable = errors.New("dynamo: no such table or index")
	// ErrValidation: DynamoDB found the request itself wrong.
	ErrValidation = errors.New("dynamo: request refused")
	// ErrRow: a stored item that is none of this package's, or that holds
	// what a [table.Value] cannot.
	ErrRow = errors.New("dynamo: not a row of this format")
	// ErrLayout: there is a table of that name, and it is another.
	ErrLayout = errors.New("dynamo: the table has another layout")
	// ErrInvalid: a name that no table or attribute has, or no client.
	ErrInvalid = errors.New("dynamo: invalid")
)

// busyError is a refusal after which the same call may succeed.
type busyError string

func (e busyError) Error() string { return string(e) }
func (busyError) Unwrap() error   { return table.ErrBusy }

// mapError adds the sentinel that fits to an error of the SDK. The codes are
// those of
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
func mapError(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("dynamo: %w", err)
	}
	var sentinel error
	switch api.ErrorCode() {
	case "ThrottlingException", "Throttling", "ProvisionedThroughputExceededException", "RequestLimitExceeded":
		sentinel = ErrThrottled
	case "TransactionConflictException", "ReplicatedWriteConflictException":
		sentinel = ErrTransaction
	case "AccessDeniedException":
		sentinel = ErrDenied
	case "ResourceNotFoundException":
		sentinel = ErrNoTable
	case "ValidationException":
		sentinel = ErrValidation
		if strings.HasPrefix(api.ErrorMessage(), "Item size ") {
			sentinel = table.ErrTooLarge
		}
	default:
		return fmt.Errorf("dynamo: %w", err)
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// mapWrite is mapError for a conditional write: the exception holds the item.
func mapWrite(err error) error {
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
