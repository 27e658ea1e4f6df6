package bedrock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/carrel-go/carrel/agent"
)

// ErrLimit: a message holds more images or documents than the service takes, or larger ones. It is the cause of an
// [agent.ModelError] with the code [agent.CodeInvalidCall], and nothing was sent.
var ErrLimit = errors.New("bedrock: more than the service takes")

// errNoObject: what must be a JSON object is something else, or no JSON at all.
var errNoObject = errors.New("not a JSON object")

// failed says how the call itself went wrong: before the stream opened, or because its context ended.
func (m *Model) failed(ctx context.Context, w *watchdog, err error) error {
	if e := m.told(ctx, w, err); e != nil {
		return e
	}
	if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return &agent.ModelError{Code: agent.CodeUnavailable, Message: "The model service cannot be reached.", Retryable: true, Err: err}
	}
	return &agent.ModelError{Code: agent.CodeInternal, Message: "The model could not be called.", Err: err}
}

// broken says how an open stream went wrong. Exceptions that the service sends in the stream come out typed; the
// rest is a connection or a frame that broke, after which nothing more of the answer can be had.
func (m *Model) broken(ctx context.Context, w *watchdog, err error) error {
	if e := m.told(ctx, w, err); e != nil {
		return e
	}
	_, checksum := errors.AsType[eventstream.ChecksumError](err)
	_, length := errors.AsType[eventstream.LengthError](err)
	if checksum || length {
		return &agent.ModelError{Code: agent.CodeUnavailable, Message: "The model's answer arrived damaged.", Retryable: true, Err: err}
	}
	return truncated(err)
}

// told gives what is plain at any time: that the context ended, what the service said, that the client gave up. It is
// nil if the error is none of these.
func (m *Model) told(ctx context.Context, w *watchdog, err error) error {
	if e := m.ended(ctx, w, err); e != nil {
		return e
	}
	if e := fromService(err); e != nil {
		return e
	}
	if isTimeout(err) { // neither the caller's context nor our watchdog, so the HTTP client gave up by itself
		return &agent.ModelError{Code: agent.CodeTimeout, Message: "The connection to the model service timed out.", Retryable: true, Err: err}
	}
	return nil
}

// ended gives the error of a context that ended, the caller's or the watchdog's; nil if neither did.
func (m *Model) ended(ctx context.Context, w *watchdog, err error) error {
	if e := ctx.Err(); e != nil {
		return e
	}
	if w.expired() {
		return &agent.ModelError{
			Code:      agent.CodeTimeout,
			Message:   fmt.Sprintf("The model service was silent for %v.", m.o.IdleTimeout),
			Retryable: true,
			Err:       errors.Join(errIdle, err),
		}
	}
	return nil
}

func truncated(err error) *agent.ModelError {
	return &agent.ModelError{Code: agent.CodeTruncated, Message: "The model's answer was cut off.", Retryable: true, Err: err}
}

// outOfOrder: the stream breaks the protocol, so nothing in it can be relied on.
func outOfOrder(what string) *agent.ModelError {
	return &agent.ModelError{
		Code:      agent.CodeMalformed,
		Message:   "The model service sent an answer that makes no sense.",
		Retryable: true,
		Err:       errors.New("bedrock: " + what),
	}
}

func invalid(format string, args ...any) *agent.ModelError {
	return &agent.ModelError{
		Code:    agent.CodeInvalidCall,
		Message: "The request to the model is not valid.",
		Err:     fmt.Errorf("bedrock: "+format, args...),
	}
}

// tooMuch is an ErrLimit.
func tooMuch(format string, args ...any) *agent.ModelError {
	return &agent.ModelError{
		Code:    agent.CodeInvalidCall,
		Message: "There are more or larger files in a message than the model takes.",
		Err:     fmt.Errorf("%w: "+format, append([]any{ErrLimit}, args...)...),
	}
}

// isClockSkew reports whether the service rejected a signature because the host's clock is wrong. The SDK marks such an
// error as one that is worth repeating, after it has compared the clocks.
func isClockSkew(err error) bool {
	e, ok := errors.AsType[interface {
		error
		RetryableError() bool
	}](err)
	if !ok || !e.RetryableError() {
		return false
	}
	_, ok = errors.AsType[smithy.APIError](e)
	return ok
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// fault is what a user may know of one of the service's errors.
type fault struct {
	name, text string
	code       agent.Code
	retryable  bool
}

// fromService turns an error that the service sent, by HTTP or in the stream, into a ModelError; nil if it is
// none. The service's own text stays in Err: it names roles, accounts and endpoints.
func fromService(err error) *agent.ModelError {
	status := 0
	if re, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = re.HTTPStatusCode()
	}
	api, ok := errors.AsType[smithy.APIError](err)
	var f fault
	switch {
	case ok && api.ErrorCode() != "":
		if f, ok = byName(api.ErrorCode()); !ok {
			f = byStatus(status)
		}
		if slices.ContainsFunc(exceptionMessages(api), isOverflow) {
			f = f.overflow()
		}
	case status >= 400: // an error that has not even the service's shape: a proxy's page
		f = byStatus(status)
	default:
		return nil
	}
	e := &agent.ModelError{Code: f.code, Message: f.text, Retryable: f.retryable, Err: err}
	if f.name != "" {
		e.Message = f.name + ": " + f.text
	}
	if status == 0 && f.code == agent.CodeThrottled {
		status = http.StatusTooManyRequests // in the stream it has no status of its own
	}
	if status != 0 {
		e.Message += fmt.Sprintf(" (HTTP %d)", status)
	}
	if f.name == "" {
		e.Message += "." // a sentence, where it does not begin with an exception's name
	}
	return e
}

// byName knows the service's exceptions, whose names begin with a capital as an HTTP error and with a small letter
// in a stream, and those of AWS's signature check. Source: the errors of ConverseStream in the API reference.
func byName(name string) (fault, bool) {
	switch strings.ToLower(name) {
	case "throttlingexception", "toomanyrequestsexception", "throttling":
		return fault{"ThrottlingException", "too many requests", agent.CodeThrottled, true}, true
	case "servicequotaexceededexception":
		return fault{"ServiceQuotaExceededException", "the account's quota is used up", agent.CodeThrottled, false}, true
	case "accessdeniedexception":
		return fault{"AccessDeniedException", "access to the model is denied", agent.CodeAccessDenied, false}, true
	case "unrecognizedclientexception", "invalidsignatureexception", "incompletesignatureexception",
		"missingauthenticationtokenexception", "expiredtokenexception", "expiredtoken", "invalidclienttokenid":
		return fault{"", "The model service did not accept the credentials", agent.CodeAccessDenied, false}, true
	case "validationexception":
		return fault{"ValidationException", "the model service refused the request", agent.CodeInvalidCall, false}, true
	case "resourcenotfoundexception":
		return fault{"ResourceNotFoundException", "the model was not found", agent.CodeInvalidCall, false}, true
	case "modelnotreadyexception":
		return fault{"ModelNotReadyException", "the model is not ready yet", agent.CodeUnavailable, true}, true
	case "modeltimeoutexception":
		return fault{"ModelTimeoutException", "the model took too long", agent.CodeTimeout, true}, true
	case "modelerrorexception":
		return fault{"ModelErrorException", "the model failed", agent.CodeUnavailable, true}, true
	case "modelstreamerrorexception":
		return fault{"ModelStreamErrorException", "the model failed while it answered", agent.CodeUnavailable, true}, true
	case "internalserverexception":
		return fault{"InternalServerException", "the model service failed", agent.CodeUnavailable, true}, true
	case "serviceunavailableexception":
		return fault{"ServiceUnavailableException", "the model service is not available", agent.CodeUnavailable, true}, true
	}
	return fault{}, false
}

// overflow returns the fault of a conversation that does not fit the model, in place of a general one. The service may
// say so in any exception that is neither about the caller nor about the rate.
func (f fault) overflow() fault {
	const text = "he conversation is too long for the model"
	switch {
	case f.code != agent.CodeInvalidCall && f.code != agent.CodeUnavailable, f.name == "ServiceUnavailableException":
		return f
	case f.name == "":
		return fault{"", "T" + text, agent.CodeContextFull, false}
	}
	return fault{f.name, "t" + text, agent.CodeContextFull, false}
}

func byStatus(status int) fault {
	switch {
	case status == http.StatusTooManyRequests:
		return fault{"", "The model service has too many requests", agent.CodeThrottled, true}
	case status == http.StatusRequestEntityTooLarge:
		return fault{"", "The model service refused the request", agent.CodeInvalidCall, false}.overflow()
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault{"", "Access to the model is denied", agent.CodeAccessDenied, false}
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return fault{"", "The model service took too long", agent.CodeTimeout, true}
	case status >= 400 && status < 500 && status != http.StatusFailedDependency:
		return fault{"", "The model service refused the request", agent.CodeInvalidCall, false}
	}
	return fault{"", "The model service failed", agent.CodeUnavailable, true}
}
