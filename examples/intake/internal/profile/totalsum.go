package profile

import "math"

// maxPlaces is the number of decimal places that decide how far a sum may be rounded.
const maxPlaces = 6

// columnSums are the sums of a column's numbers in both of their readings, and other figures about them.
type columnSums struct {
	all, since [2]float64
	places     [2]int // the most decimal places of a number
	min, max   [2]float64
	count      int64 // of all numbers
	nonzero    int64 // of the numbers that are not zero
	// isCounter reports that the numbers count rows, as 1, 2, 3, 1, 2 and 10, 20, 30 do.
	isCounter  bool
	step, last float64
	empty      int64
	units      []unitSum
}

func (s *columnSums) add(n [2]float64) {
	for i := range n {
		if s.count == 0 {
			s.min[i], s.max[i] = n[i], n[i]
		}
		s.min[i], s.max[i] = min(s.min[i], n[i]), max(s.max[i], n[i])
		s.all[i] += n[i]
		s.since[i] += n[i]
		s.places[i] = placesOf(n[i], s.places[i])
	}
	switch {
	case s.count == 0:
		s.step, s.isCounter = n[0], true
	case n[0] != s.step && n[0] != s.last+s.step:
		s.isCounter = false
	}
	s.last = n[0]
	if n[0] != 0 {
		s.nonzero++
	}
	s.count++
}

// placesOf returns the decimal places of a number, at least from and at most maxPlaces.
func placesOf(n float64, from int) int {
	for from < maxPlaces {
		x := n * math.Pow10(from)
		if math.Abs(x-math.Round(x)) <= max(1e-6, 4e-15*math.Abs(x)) {
			break
		}
		from++
	}
	return from
}

// isFigure reports whether a number of a column is a figure about the numbers before it.
func (s *columnSums) isFigure(number [2]float64, figure string) bool {
	for i, n := range number {
		want := s.min[i]
		switch figure {
		case otherWise:
			return false
		case average:
			want = s.all[i] / float64(s.count)
		case rowCount:
			want = float64(s.count)
		case largest:
			want = s.max[i]
		}
		if s.count > 0 && math.Abs(n-want) <= 0.51*math.Pow10(-placesOf(n, 0)) && (figure == average || isNear(n, want)) {
			return true
		}
	}
	return false
}

// isRounded reports whether a number is that sum. If mayRound, it may differ by as much as the rounding of the added
// numbers to their decimal places can explain, and by no more than a thousandth and one unit of its last place.
func (s *columnSums) isRounded(n, sum float64, reading int, mayRound bool) bool {
	if isNear(n, sum) {
		return true
	}
	places := placesOf(n, 0)
	if !mayRound || places == 0 && s.places[reading] == 0 {
		return false
	}
	unit := math.Pow10(-places)
	added := 0.0
	if s.places[reading] > 0 {
		added = float64(s.count) * math.Pow10(-s.places[reading]) / 2
	}
	return math.Abs(n-sum) <= min(unit/2+added, max(unit, math.Abs(n)/1000))+1e-9*math.Abs(n)
}

func isNear(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }
