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

// ErrLimit is the cause of an [agent.ModelError] with the code [agent.CodeInvalidCall] if a message has more or larger
// images, documents or videos than the service accepts. Such a request is not sent.
var ErrLimit = errors.New("bedrock: over the service's limit")

// errNoObject is returned for a value that must be a JSON object.
var errNoObject = errors.New("not a JSON object")

// mapCallError maps the error of a call whose stream did not open, or whose context ended.
func (m *Model) mapCallError(ctx context.Context, w *watchdog, err error) error {
	if e := m.mapCommonError(ctx, w, err); e != nil {
		return e
	}
	if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return newRetryableError(agent.CodeUnavailable, "The model service cannot be reached.", err)
	}
	return &agent.ModelError{Code: agent.CodeInternal, Message: "The model could not be called.", Err: err}
}

// mapStreamError maps the error of an open stream. Exceptions that the service sends in the stream are typed; all other
// errors are broken connections or frames.
func (m *Model) mapStreamError(ctx context.Context, w *watchdog, err error) error {
	if e := m.mapCommonError(ctx, w, err); e != nil {
		return e
	}
	_, checksum := errors.AsType[eventstream.ChecksumError](err)
	_, length := errors.AsType[eventstream.LengthError](err)
	if checksum || length {
		return newRetryableError(agent.CodeUnavailable, "The model's answer arrived damaged.", err)
	}
	return newTruncatedError(err)
}

// mapCommonError maps context errors, the service's errors and the client's timeouts, and returns nil for other errors.
func (m *Model) mapCommonError(ctx context.Context, w *watchdog, err error) error {
	if e := m.contextError(ctx, w, err); e != nil {
		return e
	}
	if e := mapServiceError(err); e != nil {
		return e
	}
	if isTimeout(err) { // neither the caller's context nor our watchdog, so the HTTP client gave up by itself
		return newRetryableError(agent.CodeTimeout, "The connection to the model service timed out.", err)
	}
	return nil
}

// contextError returns an error if the caller's context has ended or the watchdog has expired.
func (m *Model) contextError(ctx context.Context, w *watchdog, err error) error {
	if e := ctx.Err(); e != nil {
		return e
	}
	if w.hasExpired() {
		message := fmt.Sprintf("The model service was silent for %v.", m.o.IdleTimeout)
		return newRetryableError(agent.CodeTimeout, message, errors.Join(errIdle, err))
	}
	return nil
}

func newRetryableError(code agent.Code, message string, err error) *agent.ModelError {
	return &agent.ModelError{Code: code, Message: message, Retryable: true, Err: err}
}

func newTruncatedError(err error) *agent.ModelError {
	return newRetryableError(agent.CodeTruncated, "The model's answer was cut off.", err)
}

// newProtocolError returns the error of a stream that breaks the protocol.
func newProtocolError(what string) *agent.ModelError {
	return newRetryableError(agent.CodeMalformed, "The model service sent an invalid answer.",
		errors.New("bedrock: "+what))
}

func newInvalidError(format string, args ...any) *agent.ModelError {
	return &agent.ModelError{
		Code:    agent.CodeInvalidCall,
		Message: "The request to the model is not valid.",
		Err:     fmt.Errorf("bedrock: "+format, args...),
	}
}

// newLimitError returns an error that wraps [ErrLimit].
func newLimitError(format string, args ...any) *agent.ModelError {
	return &agent.ModelError{
		Code:    agent.CodeInvalidCall,
		Message: "There are more or larger files in a message than the model takes.",
		Err:     fmt.Errorf("%w: "+format, append([]any{ErrLimit}, args...)...),
	}
}

// isClockSkew reports whether the service rejected a signature because the host's clock is wrong. The SDK marks such an
// error as retryable after it has compared the clocks.
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

// fault is the part of a service error that a user may see.
type fault struct {
	name, text string
	code       agent.Code
	retryable  bool
}

// mapServiceError maps an error that the service sent, by HTTP or in the stream; it returns nil for other errors. The
// service's text stays in Err, because it names roles, accounts and endpoints.
func mapServiceError(err error) *agent.ModelError {
	status := 0
	if re, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = re.HTTPStatusCode()
	}
	api, ok := errors.AsType[smithy.APIError](err)
	var f fault
	switch {
	case ok && api.ErrorCode() != "":
		if f, ok = faultByName(api.ErrorCode()); !ok {
			f = faultByStatus(status)
		}
		if slices.ContainsFunc(exceptionMessages(api), isOverflow) {
			f = f.asOverflow()
		}
	case status >= 400: // not in the service's form, such as a proxy's page
		f = faultByStatus(status)
	default:
		return nil
	}
	e := &agent.ModelError{Code: f.code, Message: f.text, Retryable: f.retryable, Err: err}
	if f.name != "" {
		e.Message = f.name + ": " + f.text
	}
	if status == 0 && f.code == agent.CodeThrottled {
		status = http.StatusTooManyRequests // an exception in the stream does not have a status
	}
	if status != 0 {
		e.Message += fmt.Sprintf(" (HTTP %d)", status)
	}
	if f.name == "" {
		e.Message += "." // a sentence, unless it begins with the name of an exception
	}
	return e
}

// faultByName returns the fault of an exception of the service or of AWS's signature check. Names begin with a capital
// letter in an HTTP error and with a small letter in a stream. Source: the errors of ConverseStream in the API
// reference.
func faultByName(name string) (fault, bool) {
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

// asOverflow returns the fault of a conversation that does not fit the model, in place of a general one. The service
// reports it in any exception except those about the caller and the rate.
func (f fault) asOverflow() fault {
	const text = "he conversation is too long for the model"
	switch {
	case f.code != agent.CodeInvalidCall && f.code != agent.CodeUnavailable, f.name == "ServiceUnavailableException":
		return f
	case f.name == "":
		return fault{"", "T" + text, agent.CodeContextFull, false}
	}
	return fault{f.name, "t" + text, agent.CodeContextFull, false}
}

func faultByStatus(status int) fault {
	switch {
	case status == http.StatusTooManyRequests:
		return fault{"", "The model service has too many requests", agent.CodeThrottled, true}
	case status == http.StatusRequestEntityTooLarge:
		return fault{"", "The model service refused the request", agent.CodeInvalidCall, false}.asOverflow()
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault{"", "Access to the model is denied", agent.CodeAccessDenied, false}
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return fault{"", "The model service took too long", agent.CodeTimeout, true}
	case status >= 400 && status < 500 && status != http.StatusFailedDependency:
		return fault{"", "The model service refused the request", agent.CodeInvalidCall, false}
	}
	return fault{"", "The model service failed", agent.CodeUnavailable, true}
}
