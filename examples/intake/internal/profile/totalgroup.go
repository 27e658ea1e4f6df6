package profile

// The limits of the sums by the texts of a column.
const (
	maxGrouped = 16  // columns with texts
	maxSummed  = 32  // columns with numbers
	maxTexts   = 100 // different texts of a column
	maxOfUnits = 16
)

// groupSums are the sums of the rows by the text that they have in a column. Columns of many texts do not have them.
type groupSums struct {
	byText map[string]*groupSum
	isFull bool
}

// groupSum has the sums of the rows with one text, by column.
type groupSum struct {
	rows int64
	sums [][2]float64
}

// groupOf returns the sums of the rows that have the text of a cell in the column, or nil.
func (t *totalFinder) groupOf(column int, c *cell) *groupSum {
	if c.kind != isText || column >= len(t.groups) || t.groups[column].isFull {
		return nil
	}
	return t.groups[column].byText[string(c.key)]
}

// addGroups adds the numbers of a row to the sums by its texts.
func (t *totalFinder) addGroups(cells []cell) {
	for len(t.groups) < min(len(cells), maxGrouped) {
		t.groups = append(t.groups, &groupSums{byText: map[string]*groupSum{}})
	}
	for i, g := range t.groups {
		if g.isFull || i >= len(cells) || cells[i].kind != isText {
			continue
		}
		c := &cells[i]
		sum := c.group
		if sum == nil {
			sum = g.byText[string(c.key)]
		}
		switch {
		case sum != nil:
		case len(g.byText) >= maxTexts || len(c.key) > maxTotalLabel:
			g.isFull, g.byText = true, nil
			continue
		default:
			sum = new(groupSum)
			g.byText[string(c.key)] = sum
		}
		sum.add(cells)
	}
}

func (g *groupSum) add(cells []cell) {
	g.rows++
	for len(g.sums) < min(len(cells), maxSummed) {
		g.sums = append(g.sums, [2]float64{})
	}
	for i := range cells[:len(g.sums)] {
		if c := &cells[i]; c.isNumber() {
			g.sums[i][0] += c.number[0]
			g.sums[i][1] += c.number[1]
		}
	}
}

// addCell adds a value of a row of data.
func (s *columnSums) addCell(c *cell) {
	switch {
	case c.kind == isEmpty:
		s.empty++
	case c.isNumber():
		s.add(c.number)
		if c.unit != "" {
			s.addUnit(c)
		}
	}
}

// unitSum is the sum of the numbers of a column with one unit.
type unitSum struct {
	key   string
	sum   [2]float64
	count int64
}

func (s *columnSums) addUnit(c *cell) {
	key := UnitKey(c.unit)
	for i := range s.units {
		if u := &s.units[i]; u.key == key {
			u.sum[0], u.sum[1], u.count = u.sum[0]+c.number[0], u.sum[1]+c.number[1], u.count+1
			return
		}
	}
	if len(s.units) < maxOfUnits {
		s.units = append(s.units, unitSum{key, c.number, 1})
	}
}

// ofUnit returns the sum of the numbers with a unit, and their number.
func (s *columnSums) ofUnit(unit string) (sum [2]float64, count int64) {
	key := UnitKey(unit)
	for i := range s.units {
		if s.units[i].key == key {
			return s.units[i].sum, s.units[i].count
		}
	}
	return sum, 0
}
