// Package kubernetes holds an example of the agent as a sidecar; its test
// checks that the example holds together and that the agent accepts it.
package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// object is the part of the example's objects that the test reads.
type object struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []container
				Volumes                       []struct{ Name string }
			}
		}
	}
}

type container struct {
	Name  string
	Args  []string
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Lifecycle struct {
		PreStop struct {
			Sleep struct{ Seconds int }
		} `yaml:"preStop"`
	}
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

func load(t *testing.T) map[string]object {
	t.Helper()
	raw, err := os.ReadFile("sidecar.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]object{}
	for dec := yaml.NewDecoder(bytes.NewReader(raw)); ; {
		var o object
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		objects[o.Kind] = o
	}
}

// loadAgent does what the projected volume does: the configuration and the
// baseline in one folder.
func loadAgent(t *testing.T) *agentconfig.Config {
	t.Helper()
	folder := t.TempDir()
	baseline, err := signal.BuildBaseline([]signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: []float64{1, 2, 3, 4}},
		{Name: "gender", Target: signal.TargetFeature, Strings: []string{"male", "female", "male", "female"}},
		{Name: "approved", Target: signal.TargetPrediction, Strings: []string{"1", "0", "1", "1"}},
	}, signal.BuildOptions{Model: signal.ModelRef{Name: "loan-approval"}})
	if err != nil {
		t.Fatal(err)
	}
	content, err := canonical.JSON(baseline)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "agent.yaml")
	for name, content := range map[string][]byte{path: []byte(load(t)["ConfigMap"].Data["agent.yaml"]), filepath.Join(folder, "baseline.json"): content} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := agentconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAgentAcceptsItsConfiguration(t *testing.T) {
	if err := agent.Check(loadAgent(t)); err != nil {
		t.Error(err)
	}
}

// The ports and folders that the configuration names are those that the
// Deployment gives.
func TestConfigurationAndDeploymentAgree(t *testing.T) {
	c, pod := loadAgent(t), load(t)["Deployment"].Spec.Template.Spec
	if len(pod.Containers) != 2 {
		t.Fatalf("%d containers, want the model server and the agent", len(pod.Containers))
	}
	model, sidecar := pod.Containers[0], pod.Containers[1]
	upstream, err := url.Parse(c.Upstream)
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]struct {
		addr, port string
		in         container
	}{
		"inference": {c.Listen, "inference", sidecar},
		"admin":     {c.Admin.Listen, "admin", sidecar},
		"upstream":  {upstream.Host, "model", model},
	} {
		_, port, err := net.SplitHostPort(want.addr)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range want.in.Ports {
			found = found || p.Name == want.port && strconv.Itoa(p.ContainerPort) == port
		}
		if !found {
			t.Errorf("%s is %s, but container %s has no port %s of that number", what, want.addr, want.in.Name, want.port)
		}
	}
	paths := []string{c.State, c.Export.TokenFile, c.Export.TLS.CAFile, sidecar.Args[len(sidecar.Args)-1]}
	for _, path := range paths {
		mounted := false
		for _, m := range sidecar.VolumeMounts {
			known := slices.ContainsFunc(pod.Volumes, func(v struct{ Name string }) bool { return v.Name == m.Name })
			mounted = mounted || known && strings.HasPrefix(path+"/", m.MountPath+"/")
		}
		if !mounted {
			t.Errorf("%s is in no volume of the agent", path)
		}
	}
}

// The agent goes on while endpoints still route to it, the model server until
// the agent has stopped, and both fit into the pod's grace.
func TestPodStopsFromTheOutsideIn(t *testing.T) {
	c, pod := loadAgent(t), load(t)["Deployment"].Spec.Template.Spec
	pause := func(i int) time.Duration {
		return time.Duration(pod.Containers[i].Lifecycle.PreStop.Sleep.Seconds) * time.Second
	}
	model, sidecar := pause(0), pause(1)
	stopped := sidecar + c.StopTimeout.Std()
	if sidecar <= 0 || model < stopped {
		t.Errorf("the agent waits %s and has stopped after %s, the model server waits %s", sidecar, stopped, model)
	}
	if grace := time.Duration(pod.TerminationGracePeriodSeconds) * time.Second; model >= grace || stopped >= grace {
		t.Errorf("%s and %s do not fit into the pod's %s of grace", model, stopped, grace)
	}
}
