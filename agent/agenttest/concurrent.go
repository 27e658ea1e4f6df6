package agenttest

import "strings"

func speakAtOnce(b *bench, w Behaviour) { b.atOnce(w, b.speaks) }

func callAtOnce(b *bench, w Behaviour) {
	b.atOnce(w, func(s *seen, word string) { b.calls(s, word, 1, 1) })
}

// atOnce runs streams at once, each of which is asked for a word of its own. None says another's.
func (b *bench) atOnce(w Behaviour, check func(*seen, string)) {
	for range 2 {
		var streams []*stream
		for i := range rounds {
			streams = append(streams, b.start(b.ctx, b.request(w, word(i)), always))
		}
		for i, st := range streams {
			s := b.sound(b.wait(st, b.o.Answer, "its request"))
			if s.err != nil {
				b.fail("stream %d fails: %w", i, s.err)
			}
			b.whole(s, b.request(w, word(i)))
			check(s, word(i))
			said := s.text()
			for _, u := range uses(s) {
				said += " " + string(u.Input)
			}
			for j := range rounds {
				if j != i && strings.Contains(said, word(j)) {
					b.fail("what another stream was asked for comes in this one: %.200q", said)
				}
			}
		}
	}
}
