package clickhouse

import (
	driver "github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"github.com/evenkeel/evenkeel/collector/model"
)

// labelMap carries a series' labels in and out of a Map column in their order.
type labelMap struct{ labels []model.Label }

// Put is how the driver fills it while reading.
func (m *labelMap) Put(key, value any) {
	name, _ := key.(string)
	text, _ := value.(string)
	m.labels = append(m.labels, model.Label{Name: name, Value: text})
}

// Iterator is how the driver empties it while writing.
func (m *labelMap) Iterator() driver.MapIterator { return &labelIterator{labels: m.labels, at: -1} }

type labelIterator struct {
	labels []model.Label
	at     int
}

// Next, Key and Value walk the labels.
func (i *labelIterator) Next() bool { i.at++; return i.at < len(i.labels) }

// Key gives the label's name.
func (i *labelIterator) Key() any { return i.labels[i.at].Name }

// Value gives the label's value.
func (i *labelIterator) Value() any { return i.labels[i.at].Value }
