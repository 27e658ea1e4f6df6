package presigntest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
)

// Region is the region that the server expects in signatures.
const Region = "us-east-1"

const (
	defaultAccessKey = "123456789012"
	defaultMaxConns  = 512
)

// Options configures [Start]. Nil means the defaults.
type Options struct {
	// AccessKey and SecretKey are the credentials of the server's only account. AccessKey is also the account id that
	// owns the buckets. Set both or none. Default: the access key 123456789012 and a random secret key.
	AccessKey, SecretKey string

	// Events receives a notification of each object that has been created by a PUT, a copy or in parts, as S3 writes
	// them and presign.ParseEvent reads them. It is called from many goroutines at once, after the upload, in no
	// order; its context ends after 10 s. Each notification is delivered once and never retried. Close waits for
	// calls in flight. If nil, no notifications are made.
	Events func(ctx context.Context, notification []byte)

	// Notify lists the buckets whose objects Events receives. If empty, it receives those of all buckets.
	Notify []string

	// MaxObject is the largest object in bytes. A larger one is rejected with EntityTooLarge before it is stored,
	// whether it comes by a PUT, a form or in parts. Zero means S3's own limits.
	MaxObject int64

	// MaxConns is the largest number of open connections of an address. Further ones are answered with 429.
	// Connections of [Server.Client] do not count. Zero means 512.
	MaxConns int
}

// withDefaults returns a checked copy of o with its defaults.
func (o *Options) withDefaults() (Options, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	if (opt.AccessKey == "") != (opt.SecretKey == "") {
		return opt, errors.New("presigntest: AccessKey and SecretKey must be set together")
	}
	if opt.MaxObject < 0 || opt.MaxConns < 0 {
		return opt, errors.New("presigntest: MaxObject and MaxConns must not be negative")
	}
	opt.AccessKey = cmp.Or(opt.AccessKey, defaultAccessKey)
	opt.SecretKey = cmp.Or(opt.SecretKey, rand.Text())
	opt.MaxConns = cmp.Or(opt.MaxConns, defaultMaxConns)
	return opt, nil
}
