package signal

// Attribute keys of what is counted in the texts of language models.
const (
	KeyDetector = "evenkeel.detector" // what was looked for: email, card, secret, ...
	KeyTextSide = "evenkeel.llm.side" // answer, prompt
)

// Metric names of what is counted in the texts of language models: cumulative
// counters, of which no one holds any content.
const (
	// MetricDetection counts findings; a text may hold many.
	MetricDetection = "evenkeel.llm.detection.count"
	// MetricFlagged counts texts in which a detector found something, so that it is
	// never more than MetricTexts.
	MetricFlagged = "evenkeel.llm.flagged.count"
	// MetricTexts counts the texts that a detector looked at: what the others are
	// divided by.
	MetricTexts = "evenkeel.llm.text.count"
)

// Values of KeyTextSide.
const (
	TextAnswer = "answer"
	TextPrompt = "prompt"
)
