package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/admission"
	"github.com/carrel-go/carrel/examples/bookshelf/internal/queue"
)

// config is what the program is told.
type config struct {
	addr, data, model, landing, raw, table string

	aws                                   bool
	issuer, audience, client, tenantClaim string

	queue     string        // URL of the queue that tells of arrivals
	queueWait time.Duration // default 20 s
	sweep     time.Duration // default a minute
	grants    int           // a user's open ones at most; default 500
	retention time.Duration // of records that have ended; 0: for ever

	getenv func(string) string
	log    *slog.Logger

	pace         time.Duration // of the offline reader: how long a word takes
	grant, grace time.Duration // of an upload: how long it may begin and go on; default 15 min each
}

// public reports whether others than this machine may be let in: nobody is without a token of a real issuer, and
// browsers upload to an S3 that they reach.
func (c config) public() bool { return c.aws && c.issuer != "" }

// check refuses what could not work, before anything is opened.
func (c config) check() error {
	switch {
	case c.model == "" || c.landing == "" || c.raw == "" || c.table == "":
		return errors.New("-model, -landing, -raw and -table must not be empty")
	case c.landing == c.raw:
		return fmt.Errorf("-landing and -raw are both %q: what is accepted must not meet what was uploaded", c.raw)
	case c.issuer == "" && (c.audience != "" || c.client != "" || c.tenantClaim != ""):
		return errors.New("-audience, -client and -tenant-claim are of the tokens of an -issuer")
	case c.issuer != "" && (c.audience == "") == (c.client == ""):
		return errors.New("-issuer wants to know whom its tokens are for: -audience, or -client of a Cognito user pool")
	case c.queue != "" && !c.aws && c.getenv(sqsEndpoint) == "":
		return fmt.Errorf("-events-queue wants -aws, or an endpoint in %s", sqsEndpoint)
	case c.grants < 0 || c.grants > admission.MaxLimit:
		return fmt.Errorf("-grants: invalid limit %d: must be 1 to %d", c.grants, admission.MaxLimit)
	case c.retention < 0 || c.retention%time.Second != 0:
		return fmt.Errorf("-retention: invalid duration %v: must be whole seconds and not negative", c.retention)
	case c.sweep < 0:
		return fmt.Errorf("-sweep: %v is no interval", c.sweep)
	case c.queueWait < 0 || c.queueWait > queue.MaxWait || c.queueWait%time.Second != 0:
		return fmt.Errorf("-events-wait: %v; 1s to 20s are possible, in whole seconds", c.queueWait)
	}
	urls := []struct{ name, value string }{{"-issuer", c.issuer}, {"-events-queue", c.queue}}
	if !c.aws {
		for _, variable := range []string{s3Endpoint, dynamoDBEndpoint, bedrockEndpoint, sqsEndpoint} {
			urls = append(urls, struct{ name, value string }{variable, c.getenv(variable)})
		}
	}
	for _, v := range urls {
		if u, err := url.Parse(v.value); v.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return fmt.Errorf("%s is %q, which is no http or https URL", v.name, v.value)
		}
	}
	return nil
}
