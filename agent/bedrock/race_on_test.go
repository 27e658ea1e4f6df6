//go:build race

package bedrock

// raceDetector reports that pools forget at random, so allocations cannot be counted.
const raceDetector = true
