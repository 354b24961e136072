package lineage

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind is what a node is in OpenLineage.
type Kind string

// The kinds.
const (
	KindJob     Kind = "job"
	KindRun     Kind = "run"
	KindDataset Kind = "dataset"
	KindVersion Kind = "version" // of a dataset
)

// Node is a thing that lineage is about.
type Node struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Role is what the thing is to Evenkeel: service, model, baseline, predictions;
	// empty for all that others name.
	Role      string `json:"role,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"` // of a run, its UUID
	Version   string `json:"version,omitempty"`
	Depth     int    `json:"depth"` // steps from where the walk began
}

// ownNamespace begins the namespaces of inference services: the system follows.
const ownNamespace = "evenkeel://"

// escape keeps names apart from what an id is made of; plain takes it back.
var (
	escape = strings.NewReplacer("%", "%25", "#", "%23", "@", "%40")
	plain  = strings.NewReplacer("%25", "%", "%23", "#", "%40", "@")
)

func jobID(namespace, name string) string {
	return "job:" + escape.Replace(namespace) + "#" + escape.Replace(name)
}
func runID(id string) string { return "run:" + id }

func datasetID(namespace, name string) string {
	return "dataset:" + escape.Replace(namespace) + "#" + escape.Replace(name)
}

func versionID(namespace, name, version string) string {
	return datasetID(namespace, name) + "@" + escape.Replace(version)
}

// JobID, ModelVersionID and RunID name what an agent declares.
func JobID(system, model string) string { return jobID(ownNamespace+system, model) }

// ModelVersionID gives the node of a model's version; without a version, of the
// model.
func ModelVersionID(system, model, version string) string {
	if version == "" {
		return datasetID(ownNamespace+system, "model/"+model)
	}
	return versionID(ownNamespace+system, "model/"+model, version)
}

// RunID gives the node of a run.
func RunID(id string) string { return runID(strings.ToLower(id)) }

// maxID bounds an id that is asked for, in bytes.
const maxID = 8 << 10

// ParseID reads an id. The error says what an id looks like.
func ParseID(id string) (Node, error) {
	kind, rest, found := strings.Cut(id, ":")
	n := Node{ID: id, Kind: Kind(kind)}
	if len(id) > maxID || !utf8.ValidString(id) {
		return n, fmt.Errorf("a node's id has at most %d bytes of UTF-8", maxID)
	}
	if found && n.Kind == KindRun && rest != "" {
		n.Name = rest
		return n, nil
	}
	namespace, name, named := strings.Cut(rest, "#")
	if !found || !named || namespace == "" || name == "" || n.Kind != KindJob && n.Kind != KindDataset {
		return n, fmt.Errorf("%q is no node; write job:NAMESPACE#NAME, dataset:NAMESPACE#NAME, dataset:NAMESPACE#NAME@VERSION or run:UUID", id)
	}
	if n.Kind == KindDataset {
		var version string
		var versioned bool
		if name, version, versioned = strings.Cut(name, "@"); versioned {
			n.Kind, n.Version = KindVersion, plain.Replace(version)
		}
	}
	n.Namespace, n.Name = plain.Replace(namespace), plain.Replace(name)
	n.Role = role(&n)
	return n, nil
}

// role tells the things of inference services from others by their namespace.
func role(n *Node) string {
	if !strings.HasPrefix(n.Namespace, ownNamespace) {
		return ""
	}
	if n.Kind == KindJob {
		return "service"
	}
	for _, known := range []string{"model", "baseline", "predictions"} {
		if strings.HasPrefix(n.Name, known+"/") {
			return known
		}
	}
	return ""
}
