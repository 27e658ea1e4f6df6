package lan

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

const (
	codeLife    = 10 * time.Minute
	codePause   = 30 * time.Second // between two codes
	codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	codeLength  = 8 // 40 bits

	deviceTries = 5
	allTries    = 50
)

// codes makes one-time codes. One is valid at a time, at most.
type codes struct {
	show func(code string)

	mu    sync.Mutex
	value string // or empty
	made  time.Time
	tries map[string]int // by device, with the current code
	all   int
}

// ensure shows a new code unless one is valid, or was made a moment ago.
func (c *codes) ensure() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.isValid(now) || !c.made.IsZero() && now.Sub(c.made) < codePause {
		return
	}
	c.value, c.made, c.tries, c.all = newCode(), now, map[string]int{}, 0
	c.show(c.value)
}

func (c *codes) isValid(now time.Time) bool { return c.value != "" && now.Sub(c.made) < codeLife }

// take reports whether code is the valid one, which then is used up. It returns how long the device must wait for the
// next code if its tries are used up.
func (c *codes) take(code, device string) (isRight bool, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.isValid(now) {
		return false, 0
	}
	if c.tries[device] >= deviceTries {
		return false, codeLife - now.Sub(c.made)
	}
	c.tries[device]++
	c.all++
	given, want := sha256.Sum256([]byte(code)), sha256.Sum256([]byte(c.value))
	isRight = subtle.ConstantTimeCompare(given[:], want[:]) == 1
	if isRight || c.all >= allTries {
		c.value = ""
	}
	if isRight {
		c.made = time.Time{} // the next device need not wait
	}
	return isRight, 0
}

// newCode returns a code such as 7KQM-2XTB.
func newCode() string {
	var b [codeLength]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = codeLetters[int(b[i])%len(codeLetters)]
	}
	return string(b[:codeLength/2]) + "-" + string(b[codeLength/2:])
}
