package demo

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

//go:embed templates/*.yaml
var templates embed.FS

// settings are what the configuration files of one run are made from.
type settings struct {
	Folder     string
	Engine     string
	Ports      ports.Set
	System     string
	Model      string
	Upstream   string // the model server
	Export     string // the journal
	Webhook    string // the receiver
	Outcome    Outcome
	Window     config.Duration
	Slot       config.Duration
	Grace      config.Duration
	MinSamples int
}

// newFolder makes the folder of one run; it is readable by its owner alone.
func newFolder(parent string) (string, error) {
	folder, err := os.MkdirTemp(parent, "evenkeel-demo-")
	if err != nil {
		return "", fmt.Errorf("make the demo's folder: %w", err)
	}
	return folder, nil
}

// writeFiles puts the configurations and the baseline into the run's folder.
func (s *settings) writeFiles(baseline *signal.Baseline) error {
	content, err := canonical.JSON(baseline)
	if err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	files := map[string][]byte{"baseline.json": content}
	for _, name := range []string{"collector.yaml", "overrides.yaml", "agent.yaml"} {
		if files[name], err = s.render(name); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(s.Folder, name), content, 0o600); err != nil {
			return fmt.Errorf("write the demo's files: %w", err)
		}
	}
	return nil
}

func (s *settings) render(name string) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"quote": quote, "list": quoteList, "addr": ports.Addr,
	}).ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, s); err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// quote writes the parts as one JSON string, which YAML reads as it is.
func quote(parts ...any) (string, error) {
	var text strings.Builder
	for _, p := range parts {
		fmt.Fprint(&text, p)
	}
	raw, err := json.Marshal(text.String())
	return string(raw), err
}

func quoteList(values []string) (string, error) {
	out := make([]string, len(values))
	for i, v := range values {
		q, err := quote(v)
		if err != nil {
			return "", err
		}
		out[i] = q
	}
	return strings.Join(out, ", "), nil
}
