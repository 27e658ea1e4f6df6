package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/carrel-go/carrel/admission"
)

const maxQueueWait = 20 * time.Second // the limit of SQS

// config holds the program's settings.
type config struct {
	addr, data, model, landing, raw, table string

	isAddrSet bool // the address was given, and is not the default

	aws                                   bool
	issuer, audience, client, tenantClaim string
	issuerKeys                            string // URL of the issuer's key set, instead of its configuration
	signIn                                bool   // people sign in on the pages of the program's own issuer

	queue                         string        // URL of the queue with the arrival events
	queueWait                     time.Duration // default 20 s
	sweep                         time.Duration // default a minute
	grants                        int           // most open grants of a user; default 500
	userRuns, tenantRuns, waiting int           // most runs of a user, a tenant, and a queue; defaults 8, 32, 64

	tenantTokens, stepTokens int64         // of a tenant in a period, and the estimate for a step; 0: no budget
	tenantPeriod             time.Duration // of a budget; default a day

	lease     time.Duration // of runs; default 10 s
	retention time.Duration // of records that have ended; 0 keeps them forever

	chatRetention time.Duration // after the last message; 0 keeps chats forever

	lookup, lookupContact string            // where books are looked up; empty means builtin
	lookupTransport       http.RoundTripper // nil means that of package openlibrary

	lan      bool      // other devices of the local network may connect, with a code
	terminal io.Writer // shows the codes

	pprof  string // address of the profiles, or empty
	getenv func(string) string
	log    *slog.Logger

	pace         time.Duration // pause after each word of the offline reader
	grant, grace time.Duration // how long an upload may start, and then continue; default 15 min each
}

// public reports whether other machines may connect: only if every request needs a token of a real issuer and
// browsers can reach the S3 that they upload to.
func (c config) public() bool { return c.aws && c.issuer != "" }

// check validates the settings before anything is opened.
func (c config) check() error {
	switch {
	case c.model == "" || c.landing == "" || c.raw == "" || c.table == "":
		return errors.New("-model, -landing, -raw and -table must not be empty")
	case c.landing == c.raw:
		return fmt.Errorf("-landing and -raw are both %q: must be different buckets", c.raw)
	case c.issuer == "" && (c.audience != "" || c.client != "" || c.tenantClaim != "" || c.issuerKeys != ""):
		return errors.New("-audience, -client, -tenant-claim and -issuer-keys require -issuer")
	case c.lan && (c.aws || c.issuer != "" || c.signIn || c.getenv(s3Endpoint) != ""):
		return fmt.Errorf("-lan is for the embedded mode: it excludes -aws, -issuer, -sign-in and %s", s3Endpoint)
	case c.issuer != "" && c.signIn:
		return errors.New("-sign-in is for the program's own issuer: it excludes -issuer")
	case c.issuer != "" && (c.audience == "") == (c.client == ""):
		return errors.New("-issuer requires either -audience, or -client for a Cognito user pool")
	case c.queue != "" && !c.aws && c.getenv(sqsEndpoint) == "":
		return fmt.Errorf("-events-queue requires -aws, or an endpoint in %s", sqsEndpoint)
	case c.retention < 0 || c.retention%time.Second != 0:
		return fmt.Errorf("-retention: invalid duration %v: must be whole seconds and not negative", c.retention)
	case c.chatRetention != 0 && c.chatRetention < time.Hour:
		return fmt.Errorf("-chat-retention: invalid duration %v: must be 0 or at least 1h", c.chatRetention)
	case c.lease != 0 && c.lease < time.Second:
		return fmt.Errorf("-lease: invalid duration %v: must be at least 1s", c.lease)
	case c.sweep < 0:
		return fmt.Errorf("-sweep: invalid interval %v: must not be negative", c.sweep)
	case c.queueWait < 0 || c.queueWait > maxQueueWait || c.queueWait%time.Second != 0:
		return fmt.Errorf("-events-wait: invalid duration %v: must be 1s to 20s, in whole seconds", c.queueWait)
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	if err := c.checkLookup(); err != nil {
		return err
	}
	urls := []struct{ name, value string }{
		{"-issuer", c.issuer}, {"-issuer-keys", c.issuerKeys}, {"-events-queue", c.queue},
	}
	if !c.aws {
		for _, variable := range []string{s3Endpoint, dynamoDBEndpoint, bedrockEndpoint, sqsEndpoint} {
			urls = append(urls, struct{ name, value string }{variable, c.getenv(variable)})
		}
	}
	for _, v := range urls {
		u, err := url.Parse(v.value)
		if v.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return fmt.Errorf("%s: invalid value %q: must be an http or https URL", v.name, v.value)
		}
	}
	return nil
}

// checkZeros rejects zeros that mean the default in a config but are not valid as flags.
func (c config) checkZeros() error {
	for _, l := range c.limits() {
		if l.value == 0 {
			return l.invalid()
		}
	}
	switch {
	case c.pace < 0:
		return fmt.Errorf("-pace: invalid duration %v: must not be negative", c.pace)
	case c.sweep == 0:
		return errors.New("-sweep: invalid interval 0s: must be positive")
	case c.stepTokens == 0:
		return errors.New("-step-tokens: invalid number 0: must be at least 1")
	case c.lease == 0:
		return errors.New("-lease: invalid duration 0s: must be at least 1s")
	case c.tenantPeriod == 0:
		return errors.New("-tenant-period: invalid duration 0s: must be at least 1s")
	case c.queueWait == 0:
		return errors.New("-events-wait: invalid duration 0s: must be 1s to 20s, in whole seconds")
	}
	return nil
}

// admissionLimit is a setting of package admission.
type admissionLimit struct {
	name  string
	value int
}

func (c config) limits() []admissionLimit {
	return []admissionLimit{
		{"-grants", c.grants}, {"-user-runs", c.userRuns}, {"-tenant-runs", c.tenantRuns}, {"-queue", c.waiting},
	}
}

func (l admissionLimit) invalid() error {
	return fmt.Errorf("%s: invalid limit %d: must be 1 to %d", l.name, l.value, admission.MaxLimit)
}

// checkLimits validates the settings of package admission.
func (c config) checkLimits() error {
	switch {
	case c.tenantTokens < 0 || c.stepTokens < 0:
		return errors.New("-tenant-tokens and -step-tokens must not be negative")
	case c.tenantTokens > 0 && (c.stepTokens == 0 || c.stepTokens > c.tenantTokens):
		return fmt.Errorf("-step-tokens: invalid number %d: must be 1 to -tenant-tokens, which is %d",
			c.stepTokens, c.tenantTokens)
	case c.tenantPeriod != 0 && c.tenantPeriod < time.Second:
		return fmt.Errorf("-tenant-period: invalid duration %v: must be at least 1s", c.tenantPeriod)
	}
	for _, l := range c.limits() {
		if l.value < 0 || l.value > admission.MaxLimit {
			return l.invalid()
		}
	}
	return nil
}
