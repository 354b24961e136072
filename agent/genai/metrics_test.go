package genai

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// instruments gives the metrics and what collects them.
func instruments(t testing.TB) (*Metrics, func() map[string]metricdata.Metrics) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	m, err := New(provider.Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	return m, func() map[string]metricdata.Metrics {
		var rm metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &rm); err != nil {
			t.Fatal(err)
		}
		out := map[string]metricdata.Metrics{}
		for _, scope := range rm.ScopeMetrics {
			for _, one := range scope.Metrics {
				out[one.Name] = one
			}
		}
		return out
	}
}

// points writes the data points of a metric, a line each.
func points(m metricdata.Metrics) []string {
	var out []string
	line := func(set attribute.Set, format string, args ...any) {
		out = append(out, set.Encoded(attribute.DefaultEncoder())+" "+fmt.Sprintf(format, args...))
	}
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, "%d %v", p.Count, p.Sum)
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, "%d %v", p.Count, p.Sum)
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, "%v", p.Value)
		}
	}
	sort.Strings(out)
	return out
}

func TestRecord(t *testing.T) {
	m, collect := instruments(t)
	streamed := &wire.Generation{
		Provider: wire.OpenAI, Operation: wire.Chat, RequestModel: "small", ResponseModel: "small-2",
		InputTokens: 10, OutputTokens: 5, Streamed: true, Duration: 3 * time.Second, FirstToken: time.Second,
	}
	m.Record("assistant", streamed)
	m.Record("assistant", streamed)
	m.Record("assistant", &wire.Generation{Provider: wire.OpenAI, Operation: wire.Chat, InputTokens: -1, OutputTokens: -1, Error: "429", Duration: time.Second})
	m.Record("assistant", &wire.Generation{Provider: wire.Ollama, Operation: wire.Embeddings, RequestModel: "vec", InputTokens: 0, OutputTokens: -1})
	got := collect()
	const ok = "evenkeel.model.name=assistant,gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=small,gen_ai.response.model=small-2"
	for name, want := range map[string][]string{
		"gen_ai.server.request.duration":      {"error.type=429,evenkeel.model.name=assistant,gen_ai.operation.name=chat,gen_ai.provider.name=openai 1 1", ok + " 2 6"},
		"gen_ai.server.time_to_first_token":   {ok + " 2 2"},
		"gen_ai.server.time_per_output_token": {ok + " 2 1"},
		"gen_ai.client.token.usage": {
			ok + ",gen_ai.token.type=input 2 20", ok + ",gen_ai.token.type=output 2 10",
			"evenkeel.model.name=assistant,gen_ai.operation.name=embeddings,gen_ai.provider.name=ollama,gen_ai.request.model=vec,gen_ai.token.type=input 1 0",
		},
	} {
		if p := points(got[name]); !slices.Equal(p, want) {
			t.Errorf("%s\ngot  %q\nwant %q", name, p, want)
		}
	}
	if bounds := got["gen_ai.client.token.usage"].Data.(metricdata.Histogram[int64]).DataPoints[0].Bounds; !slices.Equal(bounds, tokenUsage.bounds) {
		t.Errorf("%v", bounds)
	}
}

func TestDetect(t *testing.T) {
	m, collect := instruments(t)
	set, err := detect.NewSet([]detect.Detector{detect.Email, detect.Refusal})
	if err != nil {
		t.Fatal(err)
	}
	model := signal.ModelRef{Name: "assistant", Version: "2"}
	m.Detect(model, signal.TextAnswer, set, []string{"a@b.io, c@d.io", "nothing", "e@f.io"})
	m.Detect(model, signal.TextAnswer, set, nil)
	m.Detect(model, signal.TextPrompt, &detect.Set{}, []string{"a@b.io"})
	got := collect()
	const answer = "evenkeel.detector=%s,evenkeel.llm.side=answer,evenkeel.model.name=assistant,evenkeel.model.version=2 %d"
	for name, counts := range map[string][2]int{signal.MetricDetection: {3, 0}, signal.MetricFlagged: {2, 0}, signal.MetricTexts: {3, 3}} {
		want := []string{fmt.Sprintf(answer, "email", counts[0]), fmt.Sprintf(answer, "refusal", counts[1])}
		if p := points(got[name]); !slices.Equal(p, want) {
			t.Errorf("%s\ngot  %q\nwant %q", name, p, want)
		}
	}
}

// Clients and servers name models and errors as they like: the series are
// bounded all the same.
func TestSeriesAreBounded(t *testing.T) {
	m, collect := instruments(t)
	for i := range 3000 {
		m.Record("assistant", &wire.Generation{
			Provider: wire.OpenAI, Operation: wire.Chat, RequestModel: fmt.Sprint("m", i), Error: fmt.Sprint("e", i%100), Duration: 1, InputTokens: -1, OutputTokens: -1,
		})
	}
	p := points(collect()["gen_ai.server.request.duration"])
	if len(m.models.seen) != maxModels || len(m.errors.seen) != maxErrors || len(p) > 1+maxModels+maxErrors || len(m.series) > maxSeries {
		t.Errorf("%d models, %d errors, %d series", len(m.models.seen), len(m.errors.seen), len(p))
	}
	if last := fmt.Sprintf("error.type=%s,", other); !strings.HasPrefix(p[0], last) {
		t.Errorf("%q", p[0])
	}
}

func TestRecordAllocatesLittle(t *testing.T) {
	m, _ := instruments(t)
	g := &wire.Generation{Provider: wire.OpenAI, Operation: wire.Chat, RequestModel: "small", InputTokens: 1, OutputTokens: 2, Duration: 2, FirstToken: 1}
	m.Record("assistant", g)
	if n := testing.AllocsPerRun(50, func() { m.Record("assistant", g) }); n > 10 {
		t.Errorf("%v allocations", n)
	}
}

// Every metric is documented.
func TestNamesAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/reference/signals.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(Names(), signal.MetricDetection, signal.MetricFlagged, signal.MetricTexts) {
		if want := "| `" + name + "` | `" + signal.PrometheusName(name) + "` |"; !strings.Contains(string(raw), want) {
			t.Errorf("signals.md has no row %s", want)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	m, _ := instruments(b)
	g := &wire.Generation{Provider: wire.OpenAI, Operation: wire.Chat, RequestModel: "small", InputTokens: 1, OutputTokens: 2, Duration: 2, FirstToken: 1}
	b.ReportAllocs()
	for b.Loop() {
		m.Record("assistant", g)
	}
}
