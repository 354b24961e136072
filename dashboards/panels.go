package dashboards

// The variables of a dashboard, as its queries refer to them.
var source = &Datasource{Type: "prometheus", UID: "${datasource}"}

const (
	columns     = 24
	panelHeight = 8
	statHeight  = 4
)

// limit is a value from which on a line or a number changes colour.
type limit struct {
	at    float64
	color string
}

// query is one line of a panel: PromQL, and the legend of what it yields.
type query struct{ expr, legend string }

// lines is a panel of time series.
func lines(title, description, unit string, limits []limit, queries ...query) Panel {
	p := panel("timeseries", title, description, unit, limits, queries)
	p.Interval = "15s"
	p.FieldConfig.Defaults.Custom = Custom{SpanNulls: true, LineWidth: 1, ShowPoints: "auto"}
	if len(limits) > 0 {
		p.FieldConfig.Defaults.Custom.ThresholdsStyle = &ThresholdsStyle{Mode: "dashed"}
	}
	p.Options.Legend = &Legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true}
	p.Options.Tooltip = &Tooltip{Mode: "multi", Sort: "desc"}
	p.GridPos = GridPos{H: panelHeight, W: columns / 2}
	return p
}

// stat is a panel of single numbers.
func stat(title, description, unit string, limits []limit, q query) Panel {
	p := panel("stat", title, description, unit, limits, []query{q})
	p.Targets[0].Instant, p.Targets[0].Range = true, false
	p.Options.ReduceOptions = &ReduceOptions{Calcs: []string{"lastNotNull"}}
	p.GridPos = GridPos{H: statHeight, W: columns / 4}
	return p
}

// row is a heading over the panels that follow it.
func row(title string) Panel {
	return Panel{Type: "row", Title: title, GridPos: GridPos{H: 1, W: columns}, FieldConfig: noLimits()}
}

func panel(kind, title, description, unit string, limits []limit, queries []query) Panel {
	p := Panel{Type: kind, Title: title, Description: description, Datasource: source, FieldConfig: noLimits()}
	p.FieldConfig.Defaults.Unit = unit
	for _, l := range limits {
		p.FieldConfig.Defaults.Thresholds.Steps = append(p.FieldConfig.Defaults.Thresholds.Steps, Step{l.color, &l.at})
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, Target{
			RefID: string(rune('A' + i)), Expr: q.expr, Legend: q.legend, Range: true, Datasource: source,
		})
	}
	return p
}

func noLimits() FieldConfig {
	return FieldConfig{
		Defaults:  Defaults{Thresholds: Thresholds{Mode: "absolute", Steps: []Step{{Color: "green"}}}},
		Overrides: []Override{},
	}
}

// dots draws the series whose legend matches without a line: the two ends of
// an interval, beside the line of the value.
func (p Panel) dots(legendPattern string) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{
		Matcher: Matcher{ID: "byRegexp", Options: legendPattern},
		Properties: []Property{
			{ID: "custom.lineWidth", Value: 0},
			{ID: "custom.showPoints", Value: "always"},
			{ID: "custom.pointSize", Value: 3},
		},
	})
	return p
}

// startingWith sets the colour below the first limit.
func (p Panel) startingWith(color string) Panel {
	p.FieldConfig.Defaults.Thresholds.Steps[0].Color = color
	return p
}

// layout numbers panels and places them from left to right, line by line.
func layout(panels []Panel) []Panel {
	x, y, height := 0, 0, 0
	for i := range panels {
		p := &panels[i]
		if x+p.GridPos.W > columns {
			x, y, height = 0, y+height, 0
		}
		p.ID, p.GridPos.X, p.GridPos.Y = i+1, x, y
		x += p.GridPos.W
		height = max(height, p.GridPos.H)
	}
	return panels
}
