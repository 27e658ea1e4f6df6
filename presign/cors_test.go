package presign_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
)

// A page must be able to send every header that a grant names.
func TestCORSAllowsTheHeadersOfEveryGrant(t *testing.T) {
	t.Parallel()
	rule, err := presign.CORS("https://books.example.com", "http://127.0.0.1:8080")
	require.NoError(t, err)
	require.Equal(t, []string{"https://books.example.com", "http://127.0.0.1:8080"}, rule.AllowedOrigins)
	require.Equal(t, []string{"ETag"}, rule.ExposeHeaders)
	s := signer(t, client(&vault{}), &presign.Options{BucketOwner: "123456789012"})
	put, err := s.Put(t.Context(), session(t), "a.jpg", &presign.PutOptions{Type: "image/jpeg", Size: 5, SHA256: sum[:]})
	require.NoError(t, err)
	digests := plan
	digests.Digests = true
	part, err := s.Part(t.Context(), session(t), digests, 1, &presign.PartOptions{SHA256: sum[:]})
	require.NoError(t, err)
	get, err := s.Get(t.Context(), stored(t, "a.jpg", `,"etag":"\"e\""`), nil)
	require.NoError(t, err)
	for _, g := range []presign.Grant{put, part, get} {
		require.Contains(t, rule.AllowedMethods, g.Method)
		require.NotEmpty(t, g.Headers)
		for name := range g.Headers {
			require.Contains(t, rule.AllowedHeaders, name)
		}
	}
	require.Contains(t, rule.AllowedMethods, "POST", "of forms")
}

func TestCORSRejectsWhatIsNotAnOrigin(t *testing.T) {
	t.Parallel()
	_, err := presign.CORS()
	require.ErrorIs(t, err, presign.ErrInvalid)
	for _, origin := range []string{"", "*", "null", "books.example.com", "https://books.example.com/", "https://books.example.com/x", "ftp://books.example.com",
		"https://me@books.example.com", "https://Books.example.com", "https://", "https://books.example.com?x", " https://books.example.com"} {
		_, err := presign.CORS("https://a.example", origin)
		require.ErrorIs(t, err, presign.ErrInvalid, "%q", origin)
	}
}

func TestGrantsHaveAStableJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, v := range map[string]any{
		`{"url":"u","method":"PUT","headers":{"If-None-Match":"*"},"size":5,"bucket":"b","key":"k","expires_at":"2026-01-02T03:04:05Z"}`: presign.Grant{
			URL: "u", Method: "PUT", Headers: map[string]string{"If-None-Match": "*"}, Size: 5, Bucket: "b", Key: "k", Expires: at},
		`{"url":"u","fields":{"key":"k"},"min_size":0,"max_size":5,"bucket":"b","key":"k","expires_at":"2026-01-02T03:04:05Z"}`: presign.Form{
			URL: "u", Fields: map[string]string{"key": "k"}, MaxSize: 5, Bucket: "b", Key: "k", Expires: at},
		`{"etag":"\"e\"","sha256":"AQI="}`: presign.Part{ETag: `"e"`, SHA256: []byte{1, 2}},
		`{"etag":"\"e\""}`:                 presign.Part{ETag: `"e"`},
	} {
		got, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}
