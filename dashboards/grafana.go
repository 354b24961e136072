package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Dashboard is the part of Grafana's dashboard model that we use.
type Dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Tags          []string   `json:"tags"`
	SchemaVersion int        `json:"schemaVersion"`
	Editable      bool       `json:"editable"`
	Refresh       string     `json:"refresh"`
	Time          TimeRange  `json:"time"`
	Templating    Templating `json:"templating"`
	Panels        []Panel    `json:"panels"`
}

// TimeRange is what the dashboard shows at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating lists the variables at the top.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is one choice: the data source, or the values of a label.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"` // datasource or query
	Query      any         `json:"query"`
	Datasource *Datasource `json:"datasource,omitempty"`
	Refresh    int         `json:"refresh,omitempty"` // 2: when the time range changes
	Sort       int         `json:"sort,omitempty"`
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
}

// VariableQuery is the query of a Variable over Prometheus.
type VariableQuery struct {
	QueryType int    `json:"qryType"` // 1: label values
	Query     string `json:"query"`
	RefID     string `json:"refId"`
}

// Datasource points to the variable that holds the choice.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Panel is one box. The id and place are given by layout.
type Panel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"` // row, stat, timeseries
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	GridPos     GridPos     `json:"gridPos"`
	Datasource  *Datasource `json:"datasource,omitempty"`
	Interval    string      `json:"interval,omitempty"` // least step
	Targets     []Target    `json:"targets,omitempty"`
	FieldConfig FieldConfig `json:"fieldConfig"`
	Options     Options     `json:"options"`
}

// GridPos places a panel on a grid of 24 columns.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one query.
type Target struct {
	RefID      string      `json:"refId"`
	Expr       string      `json:"expr"`
	Legend     string      `json:"legendFormat"`
	Instant    bool        `json:"instant"`
	Range      bool        `json:"range"`
	Datasource *Datasource `json:"datasource"`
}

// FieldConfig is how values look.
type FieldConfig struct {
	Defaults  Defaults   `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Defaults hold for every series of a panel.
type Defaults struct {
	Unit       string     `json:"unit,omitempty"`
	Min        *float64   `json:"min,omitempty"`
	Custom     Custom     `json:"custom"`
	Thresholds Thresholds `json:"thresholds"`
}

// Custom is what only time series have.
type Custom struct {
	SpanNulls       bool             `json:"spanNulls"` // windows are far apart: join them
	LineWidth       int              `json:"lineWidth,omitempty"`
	ShowPoints      string           `json:"showPoints,omitempty"`
	ThresholdsStyle *ThresholdsStyle `json:"thresholdsStyle,omitempty"`
}

// ThresholdsStyle says how limits are drawn: "line" or "dashed".
type ThresholdsStyle struct {
	Mode string `json:"mode"`
}

// Thresholds are limits with their colours; the first step has no value.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is a colour from a value upwards.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Override changes how the series that a pattern matches look.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher selects series by a regular expression over their legend.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one changed setting.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Options are a panel's own settings.
type Options struct {
	Legend        *Legend        `json:"legend,omitempty"`
	Tooltip       *Tooltip       `json:"tooltip,omitempty"`
	ReduceOptions *ReduceOptions `json:"reduceOptions,omitempty"`
}

// Legend says where the names of the series stand.
type Legend struct {
	DisplayMode string `json:"displayMode"`
	Placement   string `json:"placement"`
	ShowLegend  bool   `json:"showLegend"`
}

// Tooltip says what hovering shows.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// ReduceOptions says which value of a series a stat shows.
type ReduceOptions struct {
	Calcs []string `json:"calcs"`
}

// JSON is the committed form: indented, with a newline at the end, and with
// the characters of PromQL as they are.
func (d Dashboard) JSON() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return buf.Bytes(), nil
}
