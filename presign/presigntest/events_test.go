package presigntest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
)

// told keeps the notifications of the server that the tests share.
var told inbox

type inbox struct {
	mu      sync.Mutex
	all     [][]byte
	changed chan struct{} // closed and replaced with each
}

func (b *inbox) put(_ context.Context, notification []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, bytes.Clone(notification))
	if b.changed != nil {
		close(b.changed)
	}
	b.changed = make(chan struct{})
}

// of waits for n events of the bucket, whose notifications must all be readable.
func (b *inbox) of(t *testing.T, bucket string, n int) (events []presign.S3Event) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		b.mu.Lock()
		events = events[:0]
		for _, raw := range b.all {
			if bytes.Contains(raw, []byte(`"`+bucket+`"`)) {
				got, err := presign.ParseEvent(raw, bucket)
				require.NoError(t, err, string(raw))
				events = append(events, got...)
			}
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		if len(events) >= n {
			return events
		}
		select {
		case <-changed:
		case <-late:
			require.Failf(t, "no event", "%d of %d events have come", len(events), n)
		}
	}
}

// Every valid file name is the same in the event as in the grant, and the object's size and ETag are right.
func TestEventsNameTheirUploads(t *testing.T) {
	t.Parallel()
	d := newDesk(t, secret)
	want := map[string]bool{}
	for _, name := range []string{"cover.png", "a b+c.png", "café – 1.jpg", `"quoted" 'name'.png`, "a&b=c;d@e.png", "100$.png", "書名.png"} {
		want[name] = true
		g, err := d.signer.Put(t.Context(), d.session, name, &presign.PutOptions{Type: "image/png", Size: 4})
		require.NoError(t, err)
		res, text := do(t, request(t, g, []byte("body")))
		require.Equal(t, http.StatusOK, res.StatusCode, text)
	}
	for _, e := range told.of(t, d.bucket, len(want)) {
		require.True(t, want[e.Name], "%q", e.Name)
		delete(want, e.Name)
		require.Equal(t, d.session, e.Scope)
		require.EqualValues(t, 4, e.Size)
		_, info, err := d.signer.Arrived(t.Context(), e.Scope, e.Name, nil)
		require.NoError(t, err)
		require.Equal(t, info.ETag, e.ETag)
	}
	require.Empty(t, want)
}

// Deletions and rejected uploads are not arrivals.
func TestDeletionsAndRefusedUploadsAreNotReported(t *testing.T) {
	t.Parallel()
	c, bucket := newBucket(t)
	user, err := scope.Tenant("acme")
	require.NoError(t, err)
	user, err = user.User("u1")
	require.NoError(t, err)
	put := func(name string, ifNone *string) error {
		key, err := user.Key(name)
		require.NoError(t, err)
		_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x"), IfNoneMatch: ifNone})
		return err
	}
	star := "*"
	require.NoError(t, put("a", nil))
	require.Error(t, put("a", &star))
	key, err := user.Key("a")
	require.NoError(t, err)
	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	require.NoError(t, err)
	last := rand.Text()
	require.NoError(t, put(last, nil))
	names := map[string]int{}
	for _, e := range told.of(t, bucket, 2) {
		names[e.Name]++
	}
	require.Equal(t, map[string]int{"a": 1, last: 1}, names)
}

// Many uploads at once, on connections and buffers that are used again: each event names its own object.
func TestConcurrentEventsNameTheirUploads(t *testing.T) {
	t.Parallel()
	c, bucket := newBucket(t)
	const n = 200
	var wg sync.WaitGroup
	want := map[string]bool{}
	for i := range n {
		name := fmt.Sprintf("%03d-%s.png", i, strings.Repeat(string(rune('a'+i%26)), i%60))
		want[name] = true
	}
	session := newSession(t)
	for name := range want {
		wg.Go(func() {
			key, err := session.Key(name)
			if err == nil {
				_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, e := range told.of(t, bucket, n) {
		require.True(t, want[e.Name], "%q", e.Name)
		delete(want, e.Name)
	}
	require.Empty(t, want)
}
