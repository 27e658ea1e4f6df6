package reader_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/agent"
	"github.com/carrel-go/carrel/examples/intake/internal/reader"
	"github.com/carrel-go/carrel/tracking"
)

const shipments = "shipment_id,carrier,supplier_id,ship_date,status,qty,note\n"

func TestAllFilesOfAKindAreAskedAndAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 6 {
		w.takeIn(fmt.Sprintf("ship%d.csv", i), fmt.Appendf(nil, shipments+"SH-1,DHL,S-001,2026-01-13,delivered,%d.5,x\n"+
			"SH-2,UPS,S-002,2026-01-14,in transit,1,\n", 10*i))
	}
	w.takeIn("stock.csv", []byte("sku,on_hand,warehouse\nSKU-1,5,W\n"))
	text := w.say("total qty in shipments")
	require.Contains(t, text, "I ask 6 files")
	for i := range 6 {
		require.Contains(t, text, fmt.Sprintf("From \"ship%d.csv\"", i))
	}
	require.Contains(t, text, "Total in 6 files together: 159")
	text = w.say("total qty per carrier in shipments")
	require.Regexp(t, `Total in 6 files together:\n- DHL: 153(\.0)?\n- UPS: 6(\.0)?$`, text)
	require.Contains(t, w.say("highest qty in shipments"), "Highest value in 6 files together: 50.5")
	require.Contains(t, w.say("lowest qty in shipments"), "Lowest value in 6 files together: 0.5.")
	require.Contains(t, w.say("how many rows where status is in transit in shipments"), "Number in 6 files together: 6.")
	require.Contains(t, w.say("average qty in shipments"), "Average in 6 files together: 13.25.") // 159 of 12 rows
	require.Contains(t, w.say("total qty"), `I leave out 1 file: "stock.csv" does not have a column for “qty”`)
}

// The average of all rows is not the average of the files' averages, and values that are not numbers do not count.
func TestAnAverageOfSeveralFilesIsThatOfAllRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship1.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,1,x\nSH-2,DHL,S-001,2026-01-13,delivered,2,x\n"+
		"SH-3,UPS,S-001,2026-01-13,delivered,4.5,x\nSH-4,UPS,S-001,2026-01-13,delivered,lost,x\n"))
	w.takeIn("ship2.csv", []byte(shipments+"SH-5,dhl,S-001,2026-01-13,delivered,10,x\nSH-6,dhl,S-001,2026-01-13,delivered,,x\n"))
	text := w.say("average qty in shipments")
	require.Contains(t, text, "- average qty 2.50\n")
	require.Contains(t, text, "Average in 2 files together: 4.375.") // (1 + 2 + 4.5 + 10) / 4
	require.Contains(t, text, "1 value that is not a number")
	require.NotContains(t, text, "numbers(qty)")
	text = w.say("average qty by carrier in shipments")
	require.Contains(t, text, "Average in 2 files together:\n- UPS: 4.50\n- dhl: 4.333")
}

// A list of groups that is cut is asked again for the groups that the other files list.
func TestGroupsOfSeveralFilesAreAddedAlsoWhenAListIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := strings.Builder{}
	for i := range 120 {
		fmt.Fprintf(&many, "SH-%d,C%03d,S-001,2026-01-13,delivered,%d,x\n", i, i, 1000-i)
	}
	w.takeIn("ship1.csv", []byte(shipments+many.String()))
	w.takeIn("ship2.csv", []byte(shipments+"SH-1,c110,S-001,2026-01-13,delivered,5000,x\nSH-2,C001,S-001,2026-01-13,delivered,7,x\n"))
	text := w.say("total qty per carrier in shipments")
	require.Contains(t, text, `The list of groups of "ship1.csv" is cut. I ask again`)
	require.Contains(t, text, "Total in 2 files together:\n- c110: 5890\n- C001: 1006\n- C000: 1000\n")
	require.Contains(t, text, "These are 50 of 120 groups.")

	for n := range 4 {
		other := strings.ReplaceAll(many.String(), ",C", fmt.Sprintf(",D%d", n))
		w.takeIn(fmt.Sprintf("ship%d.csv", n+3), []byte(shipments+other))
	}
	text = w.say("total qty per carrier in shipments")
	require.Contains(t, text, "Total in 6 files together:\n- c110: 5890\n- C001: 1006\n- C000: 1000\n- D0000: 1000\n")
	require.Contains(t, text, "- D2009: 991\nThese are 50 of 600 groups.\n1 more group has the same value")
}

func TestFilesThatAreTooManyAreLeftOutInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 23 {
		w.takeIn(fmt.Sprintf("ship%02d.csv", i), []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,2,x\n"))
		w.history = agent.History{}
	}
	text := w.say("total qty in shipments")
	require.Contains(t, text, "I ask 20 files")
	require.Contains(t, text, "I leave out 3 older files, because one question asks at most 20: ")
	require.Contains(t, text, "Total in 20 files together: 40.")
	for i := range 3 {
		require.Contains(t, text, fmt.Sprintf("ship%02d.csv", i))
	}
}

func TestANamedFileIsFoundWhateverItsAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("Old March.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,2,x\n"))
	for range 450 {
		session, err := w.user.NewSession()
		require.NoError(t, err)
		o := &tracking.CreateOptions{Filename: "unused.csv", Due: time.Now().Add(time.Hour)}
		_, err = w.tracker.Create(t.Context(), session, o)
		require.NoError(t, err)
	}
	require.Contains(t, w.say("total qty in old march.csv"), "total qty 2")
	require.Contains(t, w.say("total qty in shipments"), "total qty 2")
	require.Contains(t, w.say("quality of old march"), "shipments")
}

func TestColumnsAfterTheListedOnesCanBeAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := make([]string, 250)
	values := make([]string, len(names))
	for i := range names {
		names[i], values[i] = fmt.Sprintf("c%d", i), fmt.Sprint(i)
	}
	w.takeIn("wide.csv", []byte(strings.Join(names, ",")+"\n"+strings.Join(values, ",")+"\n"))
	require.Contains(t, w.say("total c99 in wide.csv where c249 is 249"), "total c99 99")
	require.Contains(t, w.say("total c250 in wide.csv"), "does not have a column for “c250”")
}

func TestConditionsAreNotMisread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship3.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,9,x\n"+
		"SH-2,DHL,S-001,2026-01-14,delivered,7,x\nSH-3,UPS,S-002,2026-01-15,delivered,20,\"y, in part\"\n"))
	for question, want := range map[string]string{
		"total qty per supplier where carrier is DHL in ship3.csv":  "| supplier_id | total qty |\n| --- | --- |\n| S-001 | 16 |",
		"total qty in ship3.csv where qty is above 8 and note is x": "total qty 9",
		"how many rows where note is \"y, in part\" in ship3.csv":   "rows 1",
		"first 2 rows in ship3.csv":                                 "| SH-2 |",
		"how many rows where note is x or y in ship3.csv":           "I do not understand “x or y in ship3.csv”",
		"total": "The name of a column is missing. I understood: total.",
		"total qty where status is late for each carrier in nope.csv": `I do not find a file or a kind "nope.csv"`,
	} {
		require.Contains(t, w.say(question), want, question)
	}
}

// The note of an agent about a call that it could not make does not replace the user's question.
func TestARejectedCallIsNotAMessage(t *testing.T) {
	t.Parallel()
	say := func(messages ...agent.Message) (text string) {
		req := &agent.Request{Messages: messages}
		for d, err := range reader.New(&reader.Options{Pace: -1}).Stream(t.Context(), req) {
			require.NoError(t, err)
			if d, ok := d.(agent.TextDelta); ok {
				text += d.Text
			}
		}
		return text
	}
	message := func(role agent.Role, text string) agent.Message {
		return agent.Message{Role: role, Parts: []agent.Part{{Text: text}}}
	}
	use := agent.ToolUse{ID: "call-1", Name: "list_files", Input: json.RawMessage(`{}`)}
	asked, answered := message(agent.RoleUser, "list my files"), agent.Message{Role: agent.RoleAssistant, Parts: []agent.Part{{Use: &use}}}
	note := message(agent.RoleUser, "Call 1 of your answer, of list_files, was not run: the arguments are not an object. Make it again.")
	require.Contains(t, say(asked, answered, note), "could not be run")
	require.Contains(t, say(asked, answered, note, message(agent.RoleAssistant, "I failed."), asked), "I look at your files")
}

// The names of files, instead of the handles and hints that tools give a model, reach the person.
func TestHandlesAreForTheModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, text := w.takeIn("notes f2.txt", []byte("some words\n"))
	require.Contains(t, text, `the file "notes f2.txt" is plain text without rows. It is not taken in.`)
	_, text = w.takeIn("photo.csv", []byte("\x89PNG\r\n\x1a\n"+strings.Repeat("\x00\x01", 500)))
	require.Regexp(t, `the file "photo.csv" is not text \(image/png, [0-9]+ bytes\)\. It is not taken in`, text)
	w.takeIn("suppliers.csv", []byte("supplier_id,supplier_name,country\nS-001,Alpha,NL\nS-001,Beta,NL\n"))
	w.takeIn("ship.csv", []byte(shipments+"SH-1,DHL,S-001,2026-01-13,delivered,9,x\n"))
	text = w.say("total qty by supplier in ship.csv")
	require.Contains(t, text, `1 row of "suppliers.csv" repeats a value`)
	for _, ev := range w.last {
		if done, ok := ev.(agent.ToolDone); ok {
			require.NotRegexp(t, `\bf\d`, done.Result.Summary)
		}
	}
}

// A column of numbers or dates is never compared with something else, whatever the question says.
func TestConditionsKnowTheTypesOfColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeIn("ship.csv", []byte(shipments+"SH-1,DHL,S-001,2026-06-29,delayed,100,x\n"+
		"SH-2,DHL,S-001,30.06.2026,delayed,50,x\nSH-3,UPS,S-002,2026-07-01,on hold,7,x\n"))
	for condition, want := range map[string]string{
		"ship_date is after 2026-06-30":          "rows 1",
		"ship_date is not after 2026-06-30":      "rows 2",
		"ship_date is before 30 June 2026":       "rows 1",
		"ship_date since 30.06.2026":             "rows 2",
		"qty is not above 50":                    "rows 2",
		"qty is exactly 100":                     "rows 1",
		"qty is no more than 50":                 "rows 2",
		"qty is >= 50":                           "rows 2",
		"status is on hold":                      "rows 1",
		"qty is delayed":                         `value "delayed": the column "qty" has numbers: must be a number such as 100`,
		"qty is not a few":                       `the column "qty" has numbers`,
		"ship_date is 7":                         `value "7": the column "ship_date" has dates: must be a day such as 2026-01-31`,
		"ship_date is after 2026":                `the column "ship_date" has dates`,
		"ship_date is not \"the first of July\"": `the column "ship_date" has dates`,
	} {
		text := w.say("how many rows where " + condition + " in ship.csv")
		require.Contains(t, text, want, condition)
		if !strings.HasPrefix(want, "rows") {
			require.NotContains(t, text, "- rows", condition)
		}
	}
}
