package agenttest

import (
	"fmt"
	"slices"
	"strings"
)

const (
	around   = 3       // lines that are the same shown around those that are not
	maxTable = 4 << 20 // entries of the table of a comparison; beyond that, lines are not matched
)

// diff shows what must be done to a to get b, line by line.
func diff(a, b string) string {
	x, y := strings.Split(strings.TrimSuffix(a, "\n"), "\n"), strings.Split(strings.TrimSuffix(b, "\n"), "\n")
	var out strings.Builder
	lines := align(x, y)
	shown := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] != ' ' {
			for j := max(0, i-around); j <= min(len(lines)-1, i+around); j++ {
				shown[j] = true
			}
		}
	}
	skipped := 0
	flush := func() {
		if skipped > 0 {
			fmt.Fprintf(&out, "  … %d lines are the same\n", skipped)
		}
		skipped = 0
	}
	for i, l := range lines {
		if !shown[i] {
			skipped++
			continue
		}
		flush()
		out.WriteString(l + "\n")
	}
	flush()
	return out.String()
}

// align marks each line with "-", "+" or " ".
func align(x, y []string) []string {
	head := 0
	for head < min(len(x), len(y)) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < min(len(x), len(y))-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	mark := func(m string, lines []string) (out []string) {
		for _, l := range lines {
			out = append(out, m+" "+l)
		}
		return out
	}
	return slices.Concat(mark(" ", x[:head]), middle(x[head:len(x)-tail], y[head:len(y)-tail], mark), mark(" ", x[len(x)-tail:]))
}

// middle aligns by a longest common subsequence.
func middle(x, y []string, mark func(string, []string) []string) []string {
	if len(x)*len(y) > maxTable {
		return slices.Concat(mark("-", x), mark("+", y))
	}
	common := make([][]int32, len(x)+1) // of x[i:] and y[j:]
	for i := range common {
		common[i] = make([]int32, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(x) && j < len(y) {
		switch {
		case x[i] == y[j]:
			out = append(out, mark(" ", x[i:i+1])...)
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			out = append(out, mark("-", x[i:i+1])...)
			i++
		default:
			out = append(out, mark("+", y[j:j+1])...)
			j++
		}
	}
	return slices.Concat(out, mark("-", x[i:]), mark("+", y[j:]))
}
