package integration_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// effects is a service outside the processes, such as one for payments. It counts effects by title: a request without a
// key has its effect each time, and one with a key the first time. It loses some of its answers.
type effects struct {
	reach func(process string, m moment) // is called when a request arrives and when it has had its effect

	mu      sync.Mutex
	rnd     *rand.Rand
	titles  map[string]string // by key
	keyed   map[string]int    // effects of requests with a key, by title
	keyless map[string]int    // and of those without
	repeats int               // requests that did not have an effect, since their key was used before
	misused []string          // keys that were used for two titles
}

func newEffects(seed uint64) *effects {
	return &effects{
		rnd:    rand.New(rand.NewPCG(seed, 2)),
		titles: map[string]string{}, keyed: map[string]int{}, keyless: map[string]int{},
	}
}

func (e *effects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	title, err := io.ReadAll(r.Body)
	if err != nil {
		return // its process was killed
	}
	e.mu.Lock()
	before, after, isLost := e.rnd.IntN(80), e.rnd.IntN(80), e.rnd.IntN(12) == 0
	e.mu.Unlock()
	time.Sleep(time.Duration(before) * time.Millisecond)
	e.reach(r.Header.Get("Process"), beforeEffect)
	isAccepted := e.apply(r.Header.Get("Idempotency-Key"), string(title))
	e.reach(r.Header.Get("Process"), afterEffect)
	time.Sleep(time.Duration(after) * time.Millisecond)
	switch {
	case isLost:
		panic(http.ErrAbortHandler)
	case !isAccepted:
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
}

// apply counts the effect of a request, and reports whether the key is that of this title.
func (e *effects) apply(key, title string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, isRepeated := e.titles[key]
	switch {
	case key == "":
		e.keyless[title]++
	case isRepeated && known != title:
		e.misused = append(e.misused, key)
		return false
	case isRepeated:
		e.repeats++
	default:
		e.titles[key] = title
		e.keyed[title]++
	}
	return true
}
