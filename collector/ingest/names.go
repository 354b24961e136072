package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// resourceKeys are the resource attributes that become labels of every series;
// they win over attributes of the same name on a data point.
var resourceKeys = []string{
	signal.KeySystemID,
	signal.KeyInstanceID,
	signal.KeyServiceName,
	signal.KeyEnvironment,
}

// names translates OTLP names to Prometheus': UTF-8 off, suffixes off, no
// namespace. It remembers what it translated, for the length of one batch, and of
// more within a bound.
type names struct {
	metric otlptranslator.MetricNamer
	label  otlptranslator.LabelNamer
	labels map[string]string

	metrics map[string]string
}

// maxNames bounds how many names of a kind are remembered from one batch to the
// next.
const maxNames = 4096

func newNames() names { return names{labels: map[string]string{}, metrics: map[string]string{}} }

// forget keeps what is remembered within its bound.
func (n *names) forget() {
	if len(n.labels) > maxNames {
		clear(n.labels)
	}
	if len(n.metrics) > maxNames {
		clear(n.metrics)
	}
}

func (n *names) metricName(name string) (string, error) {
	if out, ok := n.metrics[name]; ok {
		return out, nil
	}
	out, err := n.metric.Build(otlptranslator.Metric{Name: name})
	if err != nil {
		return "", fmt.Errorf("metric name %q: %w", name, err)
	}
	n.metrics[strings.Clone(name)] = strings.Clone(out)
	return out, nil
}

// translates says whether labelName takes a key.
func (n *names) translates(key string) bool {
	if key != "" && (key[0]|0x20) >= 'a' && (key[0]|0x20) <= 'z' {
		return true // neither empty nor reserved
	}
	_, err := n.labelName(key)
	return err == nil
}

// labelName refuses what Prometheus keeps for itself.
func (n *names) labelName(key string) (string, error) {
	if out, ok := n.labels[key]; ok {
		return out, nil
	}
	out, err := n.label.Build(key)
	if err != nil {
		return "", fmt.Errorf("attribute %q: %w", key, err)
	}
	if strings.HasPrefix(out, "__") {
		return "", fmt.Errorf("attribute %q: names that begin with two underscores are reserved", key)
	}
	out = strings.Clone(out)
	n.labels[strings.Clone(key)] = out // both may be parts of a request
	return out, nil
}

// resourceLabels gives the labels that a resource adds to its series.
func (n *names) resourceLabels(resource pcommon.Map) ([]model.Label, error) {
	var out []model.Label
	for _, key := range resourceKeys {
		v, ok := resource.Get(key)
		if !ok {
			continue
		}
		name, err := n.labelName(key)
		if err != nil {
			return nil, err
		}
		out = append(out, model.Label{Name: name, Value: strings.ToValidUTF8(v.AsString(), "\ufffd")})
	}
	return out, nil
}

// checkLabels says what pointLabels would find wrong.
func (n *names) checkLabels(attrs pcommon.Map) error {
	for key := range attrs.All() {
		if _, err := n.labelName(key); err != nil {
			return err
		}
	}
	return nil
}

// pointLabels gives the labels of a data point, without those of the resource
// and without the reserved one: le or quantile, where the type has it. Keys
// that become the same name are joined with a semicolon, in the order of keys.
func (n *names) pointLabels(attrs pcommon.Map, resource []model.Label, reserved string) ([]model.Label, error) {
	type pair struct{ key, name, value string }
	pairs := make([]pair, 0, attrs.Len())
	for key, v := range attrs.All() {
		name, err := n.labelName(key)
		if err != nil {
			return nil, err
		}
		if name != reserved && !slices.ContainsFunc(resource, func(l model.Label) bool { return l.Name == name }) {
			pairs = append(pairs, pair{key, name, strings.ToValidUTF8(v.AsString(), "\ufffd")})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	out := make([]model.Label, 0, len(pairs)+len(resource)+1)
	for i, p := range pairs {
		if i > 0 && p.name == pairs[i-1].name {
			out[len(out)-1].Value += ";" + p.value
			continue
		}
		out = append(out, model.Label{Name: p.name, Value: p.value})
	}
	return append(out, resource...), nil
}
