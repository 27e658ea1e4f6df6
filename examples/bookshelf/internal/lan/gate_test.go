package lan_test

import (
	"fmt"
	"image"
	"image/color"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/bookshelf/internal/lan"
)

const host = "192.168.1.5:8080"

// entrance is a gate, and the codes that its terminal has shown.
type entrance struct {
	gate  *lan.Gate
	shown []string
}

func newEntrance() *entrance {
	e := &entrance{}
	e.gate = lan.New(host, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("inside"))
	}), func(code string) { e.shown = append(e.shown, code) })
	return e
}

func (e *entrance) newest() string { return e.shown[len(e.shown)-1] }

// send sends a request of a device, with changes.
func (e *entrance) send(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(body))
	r.RemoteAddr = "192.168.1.9:50000"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+host)
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	e.gate.ServeHTTP(w, r)
	return w
}

// enter sends a code and returns the cookie of the session, or nil.
func (e *entrance) enter(code, device string) *http.Cookie {
	w := e.send(http.MethodPost, "/code", url.Values{"code": {code}}.Encode(), func(r *http.Request) {
		r.RemoteAddr = device + ":50000"
	})
	for _, c := range w.Result().Cookies() {
		return c
	}
	return nil
}

func withCookie(c *http.Cookie) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) }
}

func asPage(r *http.Request) { r.Header.Set("Accept", "text/html,*/*;q=0.8") }

func TestWithoutACodeOnlyThePageOfTheCodeIsServed(t *testing.T) {
	t.Parallel()
	e := newEntrance()
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		for _, path := range []string{
			"/", "/health", "/api/ops/files", "/api/dev/token", "/assets/js/api.js", "/mcp", "/code/", "/code/../api/ops/files",
			"//code", "/%63ode/x", "/carrel-landing/x?X-Amz-Signature=x",
		} {
			w := e.send(method, path, "", nil)
			require.Equal(t, http.StatusForbidden, w.Code, "%s %s", method, path)
			require.NotContains(t, w.Body.String(), "inside")
		}
	}
	w := e.send(http.MethodGet, "/ops", "", asPage)
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Contains(t, w.Body.String(), "Enter the code")
	require.NotContains(t, w.Body.String(), e.newest())
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, http.StatusOK, e.send(http.MethodGet, "/code", "", nil).Code)
	for _, bad := range []string{"", "x", strings.Repeat("x", 64)} {
		forged := withCookie(&http.Cookie{Name: "bookshelf_device", Value: bad})
		require.Equal(t, http.StatusForbidden, e.send(http.MethodGet, "/", "", forged).Code, "%q", bad)
	}
}

func TestACodeLetsInOneDevice(t *testing.T) {
	t.Parallel()
	e := newEntrance()
	require.Len(t, e.shown, 1)
	code := e.newest()
	require.Regexp(t, `^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$`, code)
	c := e.enter(code, "192.168.1.9")
	require.NotNil(t, c)
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, c.SameSite)
	require.NotContains(t, c.Value, code)
	require.Equal(t, "inside", e.send(http.MethodGet, "/", "", withCookie(c)).Body.String())
	require.Equal(t, http.StatusSeeOther, e.send(http.MethodGet, "/code", "", withCookie(c)).Code)

	require.Nil(t, e.enter(code, "192.168.1.10"), "it has been used")
	require.Len(t, e.shown, 2, "the terminal shows another one for the next device")
	require.NotEqual(t, code, e.newest())
	next := e.enter(e.newest(), "192.168.1.10")
	require.NotNil(t, next)
	require.NotEqual(t, c.Value, next.Value)
	require.Equal(t, "inside", e.send(http.MethodGet, "/", "", withCookie(c)).Body.String(), "the first device stays in")
}

func TestOtherHostsAndOtherSitesAreRejected(t *testing.T) {
	t.Parallel()
	e := newEntrance()
	c := e.enter(e.newest(), "192.168.1.9")
	for _, name := range []string{"rebound.example:8080", "192.168.1.5", "192.168.1.5:80", "localhost:8080", "127.0.0.1:8080", ""} {
		w := e.send(http.MethodGet, "/", "", func(r *http.Request) { withCookie(c)(r); r.Host = name })
		require.Equal(t, http.StatusMisdirectedRequest, w.Code, name)
	}
	e.send(http.MethodGet, "/code", "", nil)
	form := url.Values{"code": {e.newest()}}.Encode()
	for _, origin := range []string{"http://elsewhere.example", "null", "http://192.168.1.5:8081"} {
		w := e.send(http.MethodPost, "/code", form, func(r *http.Request) { r.Header.Set("Origin", origin) })
		require.Equal(t, http.StatusForbidden, w.Code, origin)
		require.Empty(t, w.Result().Cookies())
	}
	require.Equal(t, http.StatusBadRequest, e.send(http.MethodPost, "/code", strings.Repeat("x", 2000), nil).Code)
	require.NotNil(t, e.enter(e.newest(), "192.168.1.9"), "other sites did not use it up")
}

func TestTriesAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEntrance()
		for range 5 {
			require.Nil(t, e.enter("AAAA-AAAA", "192.168.1.66"))
		}
		require.Nil(t, e.enter(e.newest(), "192.168.1.66"), "this device has tried too often")
		form := url.Values{"code": {e.newest()}}.Encode()
		w := e.send(http.MethodPost, "/code", form, func(r *http.Request) { r.RemoteAddr = "192.168.1.66:1" })
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Equal(t, "600", w.Header().Get("Retry-After"))
		for n := range 9 {
			for range 5 {
				require.Nil(t, e.enter("AAAA-AAAA", fmt.Sprint("192.168.1.", n)))
			}
		}
		require.Nil(t, e.enter(e.newest(), "192.168.1.9"), "all devices together have tried too often")
		require.Len(t, e.shown, 1)
		time.Sleep(29 * time.Second)
		e.send(http.MethodGet, "/code", "", nil)
		require.Len(t, e.shown, 1, "no faster than every 30 s")
		time.Sleep(time.Second)
		e.send(http.MethodGet, "/code", "", nil)
		require.Len(t, e.shown, 2)
		require.NotNil(t, e.enter(e.newest(), "192.168.1.66"))
	})
}

func TestCodesAndSessionsExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEntrance()
		time.Sleep(10 * time.Minute)
		require.Nil(t, e.enter(e.shown[0], "192.168.1.9"))
		require.Len(t, e.shown, 2)
		c := e.enter(e.newest(), "192.168.1.9")
		require.NotNil(t, c)
		time.Sleep(12*time.Hour - time.Second)
		require.Equal(t, http.StatusOK, e.send(http.MethodGet, "/", "", withCookie(c)).Code)
		time.Sleep(time.Second)
		require.Equal(t, http.StatusForbidden, e.send(http.MethodGet, "/", "", withCookie(c)).Code)
	})
}

func TestTheNumberOfDevicesIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEntrance()
		var first, last *http.Cookie
		for n := range 33 {
			time.Sleep(time.Second)
			e.send(http.MethodGet, "/code", "", nil)
			last = e.enter(e.newest(), "192.168.1.9")
			require.NotNil(t, last, n)
			if first == nil {
				first = last
			}
		}
		require.Equal(t, http.StatusForbidden, e.send(http.MethodGet, "/", "", withCookie(first)).Code, "the oldest has left")
		require.Equal(t, http.StatusOK, e.send(http.MethodGet, "/", "", withCookie(last)).Code)
	})
}

// The characters of the terminal are drawn as a picture, which a decoder reads.
func TestTheQRCodeCanBeScanned(t *testing.T) {
	t.Parallel()
	const text = "http://192.168.1.5:8080/code#7KQM-2XTB"
	drawn, err := lan.QR(text)
	require.NoError(t, err)
	const scale = 4
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	strip := strings.NewReplacer("\x1b[30;47m", "", "\x1b[0m", "")
	width := utf8.RuneCountInString(strip.Replace(lines[0]))
	img := image.NewGray(image.Rect(0, 0, width*scale, len(lines)*2*scale))
	for y, line := range lines {
		x := 0
		for _, r := range strip.Replace(line) {
			for half, dark := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
				for p := range scale * scale {
					shade := color.Gray{Y: 255}
					if dark {
						shade.Y = 0
					}
					img.SetGray(x*scale+p%scale, (2*y+half)*scale+p/scale, shade)
				}
			}
			x++
		}
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	require.NoError(t, err)
	read, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	require.NoError(t, err)
	require.Equal(t, text, read.GetText())
}

func TestAddressesOfOtherNetworksAreRejected(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"192.168.1.5", "10.0.0.1", "172.16.0.1", "fd00::1"} {
		got, err := lan.Address(h, "8080")
		require.NoError(t, err, h)
		require.Contains(t, got, h)
	}
	for _, h := range []string{"", "0.0.0.0", "::", "203.0.113.5", "8.8.8.8", "2001:db8::1", "books.example", "fe80::1%eth0"} {
		_, err := lan.Address(h, "8080")
		require.ErrorContains(t, err, "must be an address of a local network", h)
	}
	if got, err := lan.Address("127.0.0.1", "8080"); err == nil {
		require.NotContains(t, got, "127.0.0.1", "the machine's address on its network")
	}
}
