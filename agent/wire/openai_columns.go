package wire

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/evenkeel/evenkeel/signal"
)

// vectors are the embeddings of an answer, one behind the other.
type vectors struct {
	numbers []float64
	rows    int
	decoded []byte // of base64
	bad     *Fault
}

// maxEmbedding is the most coordinates that an embedding is taken apart into.
const maxEmbedding = 4096

func (v *vectors) clear() {
	if cap(v.numbers) > maxIdle {
		v.numbers, v.decoded = nil, nil
	}
	v.numbers, v.rows, v.bad = v.numbers[:0], 0, nil
}

// end closes a vector that began at from; all are equally long.
func (v *vectors) end(from int) {
	v.rows++
	if width := len(v.numbers) - from; v.bad == nil && width*v.rows != len(v.numbers) {
		v.bad = fault(ShapeMismatch, "embedding %d has %d coordinates", v.rows-1, width)
	}
}

// oneEmbedding reads an element of data.
func (g *generations) oneEmbedding(int) {
	s := &g.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		if key == "embedding" {
			g.vector()
		} else {
			s.skip(0)
		}
	})
}

// vector reads an embedding: numbers, or in base64 floats of four bytes, the
// lowest first, which OpenAI's own client asks for.
func (g *generations) vector() {
	s, v := &g.scan, &g.vectors
	from := len(v.numbers)
	switch s.next() {
	case '[':
		s.array(func() { v.numbers = append(v.numbers, s.number()) })
	case '"':
		v.decode(s.str())
	default:
		s.skip(0)
		return
	}
	if v.rows < maxChoices {
		v.end(from)
		return
	}
	v.numbers = v.numbers[:from]
	g.leaveOut(TooWide, "more than %d embeddings", maxChoices)
}

func (v *vectors) decode(text string) {
	if n := base64.StdEncoding.DecodedLen(len(text)); cap(v.decoded) < n {
		v.decoded = make([]byte, n)
	}
	v.decoded = v.decoded[:cap(v.decoded)]
	n, err := base64.StdEncoding.Decode(v.decoded, []byte(text))
	if err != nil || n%4 != 0 {
		if v.bad == nil {
			v.bad = fault(ShapeMismatch, "embedding %d is no base64 of whole floats", v.rows)
		}
		return
	}
	for b := v.decoded[:n]; len(b) > 0; b = b[4:] {
		v.numbers = append(v.numbers, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	}
}

// generationColumns is the memory of the observation's columns.
type generationColumns struct {
	prompts, answers, finishes, refusals []string
	noPrompt, noAnswer, noFinish         []bool
	tools, coordinates                   []float64
}

func (c *generationColumns) clear() {
	c.prompts, c.answers, c.finishes, c.refusals = c.prompts[:0], c.answers[:0], c.finishes[:0], c.refusals[:0]
	c.noPrompt, c.noAnswer, c.noFinish = c.noPrompt[:0], c.noAnswer[:0], c.noFinish[:0]
	c.tools, c.coordinates = c.tools[:0], c.coordinates[:0]
}

// observe makes the observation: a row for each answer, or for each embedding.
func (g *generations) observe(x *Exchange, to *destination) (*signal.Observation, *Fault) {
	for i := range g.prompts.ends {
		g.last.Prompts = append(g.last.Prompts, g.prompts.text(i))
	}
	rows := max(len(g.choices), g.vectors.rows)
	switch {
	case rows == 0 && g.last.Error != "":
		return nil, fault(NotInference, "the answer is an error")
	case rows == 0:
		return nil, fault(NotInference, "%d pieces without an answer", g.pieces)
	case len(g.choices) > 0 && g.vectors.rows > 0:
		return nil, fault(NotInference, "an answer with texts and embeddings")
	}
	version := g.last.ResponseModel
	if version == to.model {
		version = ""
	}
	g.observed = signal.Observation{
		Model: signal.ModelRef{Name: g.names.keep(to.model), Version: version},
		Time:  x.End, Rows: rows, Columns: g.observed.Columns[:0],
		Request: named(x.ID, alias(g.id)), TraceID: traceID(x.Trace),
	}
	g.columns.clear()
	g.promptColumn(rows)
	if g.vectors.rows > 0 {
		g.embeddingColumns()
	} else {
		g.answerColumns()
	}
	return &g.observed, nil
}

func (g *generations) addTexts(name signal.FeatureName, target signal.Target, texts []string, missing []bool) {
	g.observed.Columns = append(g.observed.Columns, signal.Column{Name: name, Target: target, Strings: texts, Missing: missing})
}

// promptColumn gives each row what was asked for it: of several prompts, those of
// a completion have as many answers each.
func (g *generations) promptColumn(rows int) {
	c, prompts := &g.columns, g.last.Prompts
	for i := range rows {
		text := ""
		if n := len(prompts); n > 0 && rows%n == 0 {
			text = prompts[i*n/rows]
		}
		c.prompts, c.noPrompt = append(c.prompts, text), append(c.noPrompt, text == "")
	}
	g.addTexts(ColumnPrompt, signal.TargetFeature, c.prompts, c.noPrompt)
}

func (g *generations) answerColumns() {
	c := &g.columns
	for i := range g.choices {
		answer := &g.choices[i]
		text := alias(answer.text)
		refused := "no"
		if answer.declined || refusedBy(answer.finish) || g.refused(text) {
			refused = "yes"
			g.last.Refused++
		}
		if text != "" {
			g.last.Answers = append(g.last.Answers, text)
		}
		g.last.FinishReasons = append(g.last.FinishReasons, answer.finish)
		c.answers, c.noAnswer = append(c.answers, text), append(c.noAnswer, text == "")
		c.finishes, c.noFinish = append(c.finishes, answer.finish), append(c.noFinish, answer.finish == "")
		c.refusals, c.tools = append(c.refusals, refused), append(c.tools, float64(answer.toolCalls()))
	}
	g.addTexts(ColumnAnswer, signal.TargetPrediction, c.answers, c.noAnswer)
	g.addTexts(ColumnFinishReason, signal.TargetPrediction, c.finishes, c.noFinish)
	g.addTexts(ColumnRefused, signal.TargetPrediction, c.refusals, nil)
	g.observed.Columns = append(g.observed.Columns, signal.Column{Name: ColumnToolCalls, Target: signal.TargetPrediction, Numbers: c.tools})
}

func (g *generations) embeddingColumns() {
	c, v := &g.columns, &g.vectors
	width := len(v.numbers) / v.rows
	if width > maxEmbedding {
		g.leaveOut(TooWide, "embeddings of %d coordinates, at most %d are taken apart", width, maxEmbedding)
		return
	}
	for j, name := range g.names.numbered(ColumnEmbedding, width) {
		// An append that outgrows the memory leaves the columns before on the old
		// one, where they stay valid.
		from := len(c.coordinates)
		c.coordinates = pick(c.coordinates, v.numbers, j, width)
		g.observed.Columns = append(g.observed.Columns, signal.Column{Name: name, Target: signal.TargetPrediction, Numbers: c.coordinates[from:]})
	}
}
