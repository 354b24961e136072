package demo

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/signal"
)

// File is a CSV file of one's own: a row for each decision, in the order in
// which they were made. The first half becomes the baseline, the second half
// is sent as requests, which a model server answers with the decisions that
// the file holds.
type File struct {
	Path       string
	Outcome    string   // the column of the decision
	Favourable []string // its values that are favourable; needed where Protected is given
	Protected  string   // column whose groups are compared; empty: none
	Reference  string   // the group to compare with; empty: the largest
}

func (f *File) validate() error {
	invalid := func(format, hint string, args ...any) error {
		return errs.E("demo options", errs.Invalid, fmt.Errorf(format, args...), hint)
	}
	switch {
	case f.Outcome == "":
		return invalid("--data %s: which column holds the model's decision?", "name it with --outcome COLUMN", f.Path)
	case f.Protected != "" && len(f.Favourable) == 0:
		return invalid("--protected %s: groups are compared by the rate of favourable outcomes", "say which values of "+f.Outcome+" are, with --favourable VALUE", f.Protected)
	case f.Protected == "" && f.Reference != "":
		return invalid("--reference %s: no groups are compared", "name the column with --protected COLUMN", f.Reference)
	case f.Protected == f.Outcome:
		return invalid("--protected and --outcome both name %s", "", f.Outcome)
	}
	return nil
}

// The least that a half must hold, and the most categories a column of text
// may have before it is taken for names or free text.
const (
	fewestFileRows = 500
	mostCategories = 100
)

// fileStory replays a file.
type fileStory struct {
	file    *File
	inputs  []signal.Column // all rows
	outcome signal.Column
	rows    int
	next    int      // first row that has not been sent
	left    []string // columns that are not used, with the reason
}

// newFileStory reads the file whole. Identifiers, columns of text with more
// than a hundred values, and columns without any value are left out.
func newFileStory(f *File) (*fileStory, error) {
	survey, err := survey(f.Path)
	if err != nil {
		return nil, err
	}
	if survey.Rows < 2*fewestFileRows {
		return nil, errs.E("read "+f.Path, errs.Invalid, fmt.Errorf("%d rows; each half needs %d", survey.Rows, fewestFileRows), "")
	}
	s := &fileStory{file: f, rows: survey.Rows, next: survey.Rows / 2}
	want, err := s.choose(survey)
	if err != nil {
		return nil, err
	}
	if err := s.load(survey, want); err != nil {
		return nil, err
	}
	return s, s.checkFavourable()
}

// checkFavourable wants each favourable value to occur: a misspelt one would
// quietly make every outcome unfavourable.
func (s *fileStory) checkFavourable() error {
	occurs := map[string]bool{}
	for i, v := range s.outcome.Strings {
		if !s.outcome.Missing[i] {
			occurs[v] = true
		}
	}
	for _, want := range s.file.Favourable {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(occurs)), func(v string) bool { return sameValue(v, want) }) {
			all := slices.Sorted(maps.Keys(occurs))
			return errs.E("read "+s.file.Path, errs.Invalid, fmt.Errorf("--favourable %s: no outcome in column %q is that", want, s.file.Outcome),
				"it has: "+strings.Join(all[:min(len(all), 20)], ", "))
		}
	}
	return nil
}

// sameValue compares as text, or as numbers where both are numbers.
func sameValue(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return a == b || errA == nil && errB == nil && x == y
}

func survey(path string) (*tabular.Survey, error) {
	var s *tabular.Survey
	err := withReader(path, func(r *tabular.Reader) (err error) {
		s, err = tabular.Examine(r, nil)
		return err
	})
	return s, err
}

func withReader(path string, do func(*tabular.Reader) error) error {
	in, err := os.Open(path)
	if err != nil {
		return errs.E("open --data", errs.NotFound, err, "")
	}
	defer in.Close()
	r, err := tabular.NewCSV(path, in)
	if err != nil {
		return err
	}
	return do(r)
}

// choose picks the columns: the outcome last, everything else as inputs.
func (s *fileStory) choose(survey *tabular.Survey) ([]tabular.Want, error) {
	var names []string
	var want []tabular.Want
	outcome := tabular.Want{Column: -1}
	protected := s.file.Protected == ""
	for i := range survey.Columns {
		c := &survey.Columns[i]
		names = append(names, c.Name)
		switch {
		case c.Name == s.file.Outcome:
			outcome.Column = i
		case c.Name == s.file.Protected:
			protected = true
			want = append(want, tabular.Want{Column: i})
		case c.Missing == survey.Rows:
			s.left = append(s.left, c.Name+" (empty)")
		case namesRow(c.Name):
			s.left = append(s.left, c.Name+" (named like an identifier)")
		case !c.Numeric() && c.Distinct > mostCategories:
			s.left = append(s.left, fmt.Sprintf("%s (text with more than %d values)", c.Name, mostCategories))
		default:
			want = append(want, tabular.Want{Column: i, Numeric: c.Numeric()})
		}
	}
	var faults []error
	for name, found := range map[string]bool{s.file.Outcome: outcome.Column >= 0, s.file.Protected: protected} {
		if !found {
			faults = append(faults, errs.E("read "+s.file.Path, errs.Invalid, fmt.Errorf("no column %q", name), "it has: "+strings.Join(names, ", ")))
		}
	}
	return append(want, outcome), errors.Join(faults...)
}

// namesRow says that a column looks as if it named the row rather than
// described it.
func namesRow(column string) bool {
	name := strings.ToLower(column)
	return name == "id" || name == "uuid" || strings.HasSuffix(name, "_id")
}

func (s *fileStory) load(survey *tabular.Survey, want []tabular.Want) error {
	return withReader(s.file.Path, func(r *tabular.Reader) error {
		values, err := tabular.Load(r, want, survey.Rows, nil)
		if err != nil {
			return err
		}
		for i, v := range values {
			s.inputs = append(s.inputs, signal.Column{
				Name: signal.FeatureName(survey.Columns[want[i].Column].Name), Target: signal.TargetFeature,
				Numbers: v.Numbers, Strings: v.Texts, Missing: v.Missing,
			})
		}
		s.outcome = s.inputs[len(s.inputs)-1]
		s.outcome.Target = signal.TargetPrediction
		s.inputs = s.inputs[:len(s.inputs)-1]
		return nil
	})
}

func (s *fileStory) Title() string {
	title := fmt.Sprintf("%s: its first %d rows are the baseline, the other %d are sent as requests",
		filepath.Base(s.file.Path), s.rows/2, s.rows-s.rows/2)
	if len(s.left) > 0 {
		title += "\nnot used: " + strings.Join(s.left, ", ")
	}
	return title
}

// modelName makes a name that fits into a URL from the file's.
func (s *fileStory) modelName() string {
	base := strings.TrimSuffix(filepath.Base(s.file.Path), filepath.Ext(s.file.Path))
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, base), "-") + "-replay"
}

func (s *fileStory) Model() modelserver.Model {
	var inputs []modelserver.Field
	for _, c := range s.inputs {
		if c.Strings != nil {
			inputs = append(inputs, modelserver.TextInput(string(c.Name)))
		} else {
			inputs = append(inputs, modelserver.NumberInput(string(c.Name)))
		}
	}
	return modelserver.NewReplay(s.modelName(), inputs, s.file.Outcome, s.outcome.Strings, s.outcome.Missing)
}

func (s *fileStory) Outcome() Outcome {
	return Outcome{
		Output: signal.FeatureName(s.file.Outcome), Favourable: s.file.Favourable,
		Attribute: signal.FeatureName(s.file.Protected), Reference: s.file.Reference,
	}
}

func (s *fileStory) Baseline() (*signal.Baseline, error) {
	half := s.rows / 2
	decided := slice(s.outcome, 0, half)
	o := signal.BuildOptions{
		Model: signal.ModelRef{Name: s.modelName(), Version: "1"}, Source: filepath.Base(s.file.Path) + ", first half",
		Outcome: &decided, Favourable: signal.Favourable{Values: s.file.Favourable},
	}
	var columns []signal.Column
	for _, c := range s.inputs {
		first := slice(c, 0, half)
		if string(c.Name) == s.file.Protected {
			o.Protected = append(o.Protected, signal.ProtectedColumn{Column: first, Reference: s.file.Reference})
			continue
		}
		columns = append(columns, first)
	}
	b, err := signal.BuildBaseline(append(columns, decided), o)
	if err != nil {
		return nil, errs.E("build a baseline from the first half of "+s.file.Path, errs.Invalid, err, "")
	}
	return b, nil
}

func (s *fileStory) Next() (modelserver.Request, int) {
	rows := min(batchRows, s.rows-s.next)
	request := modelserver.Request{ID: strconv.Itoa(s.next)}
	for _, c := range s.inputs {
		request.Inputs = append(request.Inputs, tensor(slice(c, s.next, s.next+rows)))
	}
	s.next += rows
	return request, rows
}

func (*fileStory) Turn() string { return "" }

// slice gives rows from a to b of a column.
func slice(c signal.Column, a, b int) signal.Column {
	if c.Strings == nil {
		c.Numbers = c.Numbers[a:b]
		return c
	}
	c.Strings = c.Strings[a:b]
	if c.Missing != nil {
		c.Missing = c.Missing[a:b]
	}
	return c
}
