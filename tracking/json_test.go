package tracking

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The JSON of records as services show them, one file a state. The files hold
// down: times in UTC with three digits, also where they are whole seconds;
// created_at from the session id; what has not ended has no end_time and no
// processing_time; queued stages are absent; reason and retryable only where
// FAILED; no key, fence, lease, version or ETag.
func TestRecordJSON(t *testing.T) {
	for name, bring := range map[string]func(t *testing.T, b *bundle){
		"uploading": func(t *testing.T, b *bundle) {},
		"reviewed": func(t *testing.T, b *bundle) {
			extract(t, b, "r1")
		},
		"throttled": func(t *testing.T, b *bundle) {
			extract(t, b, "r1")
			time.Sleep(2 * time.Second)
			a := b.resume(t, "r2")
			time.Sleep(1500 * time.Millisecond)
			require.NoError(t, a.Fail(t.Context(), throttled()))
		},
		"rejected": func(t *testing.T, b *bundle) {
			_, err := b.Observe(t.Context(), b.session, Observation{Stage: UserUpload})
			require.NoError(t, err)
			require.NoError(t, b.start(t, "r1").Fail(t.Context(), &Error{Code: "no_image", Message: "The file is no image.", Permanent: true}))
		},
		"abandoned": func(t *testing.T, b *bundle) {
			extract(t, b, "r1")
			time.Sleep(25 * time.Hour)
			require.Equal(t, 1, b.sweep(t, &storage{}, SweepOptions{}).Abandoned)
		},
		"success": func(t *testing.T, b *bundle) {
			extract(t, b, "r1")
			time.Sleep(time.Minute)
			a := b.resume(t, "accept")
			time.Sleep(7 * time.Millisecond)
			require.NoError(t, a.Complete(t.Context(), refIn(t, "raw", b.session, "metadata.json")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			require.NoError(t, err)
			synctest.Test(t, func(t *testing.T) {
				b := newBundle(t, nil)
				b.session = sessionOf(t, b.user, 0)
				time.Sleep(time.Until(epoch.Add(250 * time.Millisecond)))
				_, err := b.Create(t.Context(), b.session, &CreateOptions{Filename: "cover.jpg"})
				require.NoError(t, err)
				bring(t, b)
				got, err := json.Marshal(b.get(t))
				require.NoError(t, err)
				var pretty bytes.Buffer
				require.NoError(t, json.Indent(&pretty, got, "", "  "))
				require.Equal(t, string(want), pretty.String()+"\n")
			})
		})
	}
}

func extract(t *testing.T, b *bundle, key string) {
	t.Helper()
	time.Sleep(4750 * time.Millisecond)
	landing := refIn(t, "landing", b.session, "cover.jpg")
	a, err := b.Start(t.Context(), b.session, Enrichment, &StartOptions{
		Key: key, Source: landing, Observed: &Observation{Stage: UserUpload, Dest: landing},
	})
	require.NoError(t, err)
	time.Sleep(3 * time.Second)
	require.NoError(t, a.Park(t.Context(), 0))
}

func TestSummaryJSON(t *testing.T) {
	s := sessionOf(t, userOf(t, "acme", "u1"), 0)
	for class, status := range map[Class]string{Active: "IN_PROGRESS", Failed: "FAILED", Success: "SUCCESS"} {
		got, err := json.Marshal(Summary{Scope: s, Class: class, Filename: "cover.jpg"})
		require.NoError(t, err)
		require.Equal(t, `{"upload_id":"`+s.SessionID()+`","user_id":"u1","filename":"cover.jpg",`+
			`"created_at":"2026-03-01T12:00:00.000Z","current_status":"`+status+`"}`, string(got))
	}
}
