package model

// AlertsTaken says what became of a notification of Alertmanager.
type AlertsTaken struct {
	Firing    int    `json:"firing"`
	Resolved  int    `json:"resolved"`
	Unknown   int    `json:"unknown_rules"`       // of them, those of no rule that is loaded
	Truncated uint64 `json:"truncated,omitempty"` // that Alertmanager left out
}
