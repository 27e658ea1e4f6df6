package tracking

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
)

// The golden files are the JSON of records, one for each state. Times are in UTC with
// three digits, even if they are whole seconds, and created_at is from the session
// id. A stage that has not ended lacks end_time and processing_time; a queued stage is
// absent. reason and retryable appear only in FAILED records. Keys, fences, leases,
// versions and ETags never appear.
func TestRecordJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(t *testing.T, b *bundle){
		"uploading": func(t *testing.T, b *bundle) {},
		"reviewed": func(t *testing.T, b *bundle) {
			extractAndPark(t, b, "r1")
		},
		"throttled": func(t *testing.T, b *bundle) {
			extractAndPark(t, b, "r1")
			time.Sleep(2 * time.Second)
			a := b.claimStage(t, "r2")
			time.Sleep(1500 * time.Millisecond)
			require.NoError(t, a.Fail(t.Context(), throttledError()))
		},
		"rejected": func(t *testing.T, b *bundle) {
			_, err := b.Observe(t.Context(), b.session, Observation{Stage: UserUpload})
			require.NoError(t, err)
			require.NoError(t, b.claimStage(t, "r1").Fail(t.Context(), &Error{Code: "no_image", Message: "The file is no image."}))
		},
		"abandoned": func(t *testing.T, b *bundle) {
			extractAndPark(t, b, "r1")
			time.Sleep(25 * time.Hour)
			require.Equal(t, 1, b.sweepTable(t, &storage{}, SweepOptions{}).Abandoned)
		},
		"success": func(t *testing.T, b *bundle) {
			extractAndPark(t, b, "r1")
			time.Sleep(time.Minute)
			a := b.claimStage(t, "accept")
			time.Sleep(7 * time.Millisecond)
			require.NoError(t, a.Complete(t.Context(), refIn(t, "raw", b.session, "metadata.json")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBundle(t, nil)
				b.session = sessionOf(t, b.user, 0)
				time.Sleep(time.Until(epoch.Add(250 * time.Millisecond)))
				_, err := b.Create(t.Context(), b.session, &CreateOptions{Filename: "cover.jpg"})
				require.NoError(t, err)
				bring(t, b)
				requireGolden(t, name, b.getRecord(t))
			})
		})
	}
}

var update = flag.Bool("update", false, "write the golden files")

// requireGolden compares the JSON of v with a file in testdata.
func requireGolden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.Marshal(v)
	require.NoError(t, err)
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got, "", "  "))
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), pretty.String())
}

func extractAndPark(t *testing.T, b *bundle, key string) {
	t.Helper()
	time.Sleep(4750 * time.Millisecond)
	landing := refIn(t, "landing", b.session, "cover.jpg")
	a, err := b.Claim(t.Context(), b.session, Enrichment, &ClaimOptions{
		Key: key, Source: landing, Observed: &Observation{Stage: UserUpload, Dest: landing},
	})
	require.NoError(t, err)
	time.Sleep(3 * time.Second)
	require.NoError(t, a.Park(t.Context(), 0))
}

// The golden page has all classes and labels, and only known fields.
func TestPageJSONIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBundle(t, nil)
		time.Sleep(time.Until(epoch.Add(250 * time.Millisecond)))
		for n, end := range []func(a *Attempt) error{
			nil,
			func(a *Attempt) error { return a.Heartbeat(t.Context()) },
			func(a *Attempt) error { return a.Park(t.Context(), 0) },
			func(a *Attempt) error { return a.Release(t.Context()) },
			func(a *Attempt) error { return a.Fail(t.Context(), throttledError()) },
			func(a *Attempt) error { return a.Fail(t.Context(), &Error{Code: "no_image", Message: "Not an image."}) },
			func(a *Attempt) error { return a.Complete(t.Context(), object.Ref{}) },
		} {
			s := sessionOf(t, b.user, n)
			_, err := b.Create(t.Context(), s, &CreateOptions{Filename: "cover.jpg", Labels: map[string]string{"shelf": "A1"}})
			require.NoError(t, err)
			if end == nil {
				continue
			}
			a, err := b.Claim(t.Context(), s, Enrichment, &ClaimOptions{Key: "r", Observed: &Observation{Stage: UserUpload}})
			require.NoError(t, err)
			require.NoError(t, a.SetLabel("title", "Dune"))
			require.NoError(t, a.SetLabel("shelf", ""))
			time.Sleep(time.Second)
			require.NoError(t, end(a))
			want := b.recordAt(t, s).Summary()
			page, err := b.List(t.Context(), b.user, Filter{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, want, page.Records[0], "a list says what the record says")
		}
		page, err := b.List(t.Context(), b.user, Filter{Limit: 7})
		require.NoError(t, err)
		require.Empty(t, page.Next)
		page.Next = "cursor"
		requireGolden(t, "page", page)
		empty, err := json.Marshal(Page{})
		require.NoError(t, err)
		require.Equal(t, `{"records":[]}`, string(empty))
	})
}

// A row of an index that projects fewer attributes lacks the other fields.
func TestSummaryJSONWithoutProjection(t *testing.T) {
	t.Parallel()
	s := sessionOf(t, userOf(t, "acme", "u1"), 0)
	for class, status := range map[Class]string{
		ClassActive: "IN_PROGRESS", ClassWaiting: "IN_PROGRESS", ClassFailed: "FAILED", ClassSuccess: "SUCCESS",
	} {
		got, err := json.Marshal(Summary{Scope: s, Class: class, Filename: "cover.jpg"})
		require.NoError(t, err)
		retryable := ""
		if class == ClassFailed {
			retryable = `,"retryable":false`
		}
		require.Equal(t, `{"upload_id":"`+s.SessionID()+`","user_id":"u1","filename":"cover.jpg",`+
			`"created_at":"2026-03-01T12:00:00.000Z","current_status":"`+status+`","class":"`+string(class)+`"`+retryable+`}`, string(got))
	}
}
