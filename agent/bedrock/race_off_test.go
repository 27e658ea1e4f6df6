//go:build !race

package bedrock

const raceDetector = false
