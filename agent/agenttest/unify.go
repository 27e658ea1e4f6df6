package agenttest

import (
	"maps"
	"slices"
	"strconv"
)

// unify compares a recorded request with one that came, both without secrets. Placeholders of the file are compared
// as they are. One that is new stands for a secret that the file does not know yet: it is taken for the placeholder
// in its place in the recording, and must be that one everywhere. The map is what was taken for what, as far as the
// two are the same.
func (p *Player) unify(want, got string) (map[string]string, bool) {
	taken := map[string]string{} // new placeholder → recorded one
	owner := map[string]string{} // recorded placeholder → the new one that it is
	known := slices.Collect(maps.Values(p.vault.names))
	w, g := placeholder.FindAllStringSubmatchIndex(want, -1), placeholder.FindAllStringSubmatchIndex(got, -1)
	atW, atG := 0, 0
	for i := range min(len(w), len(g)) {
		if want[atW:w[i][0]] != got[atG:g[i][0]] {
			return taken, false
		}
		a, b := want[w[i][0]:w[i][1]], got[g[i][0]:g[i][1]]
		kind := got[g[i][2]:g[i][3]]
		n, _ := strconv.Atoi(got[g[i][4]:g[i][5]])
		switch {
		case a == b:
		case n <= p.fresh[kind] || want[w[i][2]:w[i][3]] != kind || slices.Contains(known, a):
			return taken, false
		case taken[b] == "" && owner[a] == "":
			taken[b], owner[a] = a, b
		case taken[b] != a:
			return taken, false
		}
		atW, atG = w[i][1], g[i][1]
	}
	return taken, len(w) == len(g) && want[atW:] == got[atG:]
}

// substitute puts the recorded placeholders in the place of new ones.
func substitute(s string, names map[string]string) string {
	return placeholder.ReplaceAllStringFunc(s, func(p string) string {
		if to, ok := names[p]; ok {
			return to
		}
		return p
	})
}

// rename gives secrets the placeholders that they have in the file.
func (v *vault) rename(names map[string]string) {
	for secret, p := range v.names {
		if to, ok := names[p]; ok {
			v.names[secret] = to
		}
	}
}
