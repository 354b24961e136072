package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// module is the import path of the module's root.
const module = "github.com/evenkeel/evenkeel"

// rule says where a package stands. A package imports only packages of lower
// layers, and those that its rule names.
type rule struct {
	path   string // below the module; also for everything below it, unless a longer one fits
	layer  int
	beside []string // packages of the same layer that it may import, by prefix
	tests  []string // and those that only its tests may import, to see that the two fit
	why    string   // said when it is broken
}

// rules is the table: the longest path that fits a package decides.
var rules = []rule{
	{path: "cmd", layer: 6, beside: []string{"cmd"}, why: "a program is flags, options and Run"},
	{path: "test", layer: 6, beside: []string{"test"}, why: "whole-program tests stand on everything"},

	{path: "agent", layer: 5, why: "the agent's root wires its parts"},
	{path: "collector", layer: 5, why: "the collector's root wires its parts"},
	{path: "demo", layer: 5, beside: []string{"demo"}, why: "the demo is made of its own parts"},

	{path: "agent/tap", layer: 4, beside: []string{"agent/tap", "agent/window", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/wire", layer: 4, beside: []string{"agent/wire", "agent/window", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/intake", layer: 4, beside: []string{"agent/intake", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/window", layer: 4, beside: []string{"agent/window", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/export", layer: 4, beside: []string{"agent/export", "agent/window", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/cpu", layer: 4, tests: []string{"agent"}, why: "what work takes and may take needs to know nothing of the work"},
	{path: "agent/learn", layer: 4, beside: []string{"agent/learn", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/digest", layer: 4, tests: []string{"agent"}, why: "what stands behind an answer is found out without knowing who asks"},
	{path: "agent/reload", layer: 4, tests: []string{"agent"}, why: "following files needs to know nothing of what is in them"},
	{path: "agent/join", layer: 4, beside: []string{"agent/join"}, tests: []string{"agent"}, why: "joining labels needs to know nothing of how predictions come"},
	{path: "agent/privacy", layer: 4, beside: []string{"agent/privacy", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/probe", layer: 4, beside: []string{"agent/probe", "agent/config"}, tests: []string{"agent"}, why: "how an answer is decoded is given to it"},
	{path: "agent/changes", layer: 4, tests: []string{"agent"}, why: "noticing a change needs to know nothing of what is served"},
	{path: "agent/evaluations", layer: 4, tests: []string{"agent"}, why: "what evaluators say stands on the vocabulary"},
	{path: "agent/span", layer: 3, why: "choosing what is told stands on the vocabulary alone"},
	{path: "agent/clock", layer: 4, tests: []string{"agent"}, why: "a clock knows nothing of what it times"},
	{path: "agent/scrape", layer: 4, beside: []string{"agent/scrape", "agent/config"}, tests: []string{"agent"}, why: "the agent's parts know window's and config's types only"},
	{path: "agent/genai", layer: 4, beside: []string{"agent/genai", "agent/wire"}, tests: []string{"agent"}, why: "its metrics are of what wire decodes"},
	{path: "agent/config", layer: 4, beside: []string{"agent/config"}, tests: []string{"agent"}, why: "a configuration knows no part that uses it"},
	{path: "collector/ingest", layer: 4, beside: []string{"collector/ingest"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/fleet", layer: 4, beside: []string{"collector/fleet"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/evaluate", layer: 4, beside: []string{"collector/evaluate"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/register", layer: 4, beside: []string{"collector/register"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/replica", layer: 4, beside: []string{"collector/replica"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/retention", layer: 4, beside: []string{"collector/retention"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/notify", layer: 4, beside: []string{"collector/notify"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/api", layer: 4, beside: []string{"collector/api"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/baseline", layer: 4, beside: []string{"collector/baseline"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/alerts", layer: 4, beside: []string{"collector/alerts"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/deployments", layer: 4, beside: []string{"collector/deployments"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/upkeep", layer: 4, beside: []string{"collector/upkeep"}, tests: []string{"collector"}, why: "the collector's stages meet in the store and in the root, not in each other"},
	{path: "collector/config", layer: 4, beside: []string{"collector/config"}, tests: []string{"collector"}, why: "a configuration knows no part that uses it"},

	{path: "collector/lineage", layer: 3, beside: []string{"collector/lineage"}, tests: []string{"collector/store"}, why: "what the graph is made of stands on the port alone"},
	{path: "collector/compare", layer: 3, beside: []string{"collector/compare"}, tests: []string{"collector/store"}, why: "a comparison stands on the port alone"},
	{path: "collector/query", layer: 3, beside: []string{"collector/query"}, why: "adapters do not know each other"},
	{path: "collector/spool", layer: 3, beside: []string{"collector/spool"}, why: "adapters do not know each other"},
	{path: "collector/engine", layer: 3, beside: []string{"collector/engine"}, why: "adapters do not know each other"},
	{path: "collector/store/clickhouse", layer: 3, beside: []string{"collector/store/clickhouse"}, why: "adapters do not know each other"},
	{path: "collector/store/storetest", layer: 3, beside: []string{"collector/store", "collector/engine"}, why: "the suite gives tests a real store, and knows nothing else"},
	{path: "plugins/conformance", layer: 3, beside: []string{"plugins/conformance", "plugins/host"}, why: "the suite launches plugins as the host does, and knows nothing else"},
	{path: "plugins", layer: 3, tests: []string{"plugins/conformance", "plugins/host"}, why: "a plugin knows the contract and the author's kit, not other plugins"},

	{path: "rules", layer: 2, beside: []string{"rules"}, why: "rules are about signals, wherever they are stored"},
	{path: "collector/model", layer: 2, why: "the data and the port know no database"},
	{path: "plugins/sdk", layer: 2, beside: []string{"plugins/sdk"}, why: "the kit is for authors outside"},

	{path: "signal", layer: 1, why: "the vocabulary stands on measure alone"},
	{path: "plugins/proto", layer: 1, beside: []string{"plugins/proto"}, why: "the contract stands alone"},

	{path: "agent/detect", layer: 0, why: "detectors are pure functions over text"},
	{path: "measure", layer: 0, tests: []string{"internal"}, why: "statistics are pure functions"},
	{path: "internal/labels", layer: 2, why: "reading labels stands on the vocabulary, and knows nobody who takes them"},
	{path: "internal", layer: 0, beside: []string{"internal"}, why: "what has no other home knows nobody's home"},
	{path: "dashboards", layer: 5, beside: []string{"dashboards"}, why: "dashboards stand on the names of signals"},
	{path: "deploy", layer: 6, why: "examples stand on the programs' configurations"},
	{path: "docs", layer: 6, why: "the documentation is tested against what it describes"},
}

// find gives the rule of a package, by its path below the module.
func find(pkg string) *rule {
	var best *rule
	for i := range rules {
		r := &rules[i]
		if under(pkg, r.path) && (best == nil || len(r.path) > len(best.path)) {
			best = r
		}
	}
	return best
}

// check says why from may not import to, or "" where it may. Both are paths
// below the module; test says that only a test of from does it.
func check(from, to string, test bool) string {
	a, b := find(from), find(to)
	switch {
	case a == nil:
		return fmt.Sprintf("%s stands in no layer; add it to the table in internal/archtest/layers.go", from)
	case b == nil:
		return fmt.Sprintf("%s stands in no layer; add it to the table in internal/archtest/layers.go", to)
	case under(from, "agent") && under(to, "collector") || under(from, "collector") && under(to, "agent"):
		return fmt.Sprintf("%s imports %s: agent and collector never import each other; what both need belongs to signal", from, to)
	case b.layer < a.layer:
		return ""
	}
	if a.layer == b.layer && (isUnderOne(to, a.beside) || test && isUnderOne(to, a.tests)) {
		return ""
	}
	if b.layer > a.layer {
		return fmt.Sprintf("%s (layer %d) imports %s (layer %d): imports point down only; %s", from, a.layer, to, b.layer, a.why)
	}
	return fmt.Sprintf("%s imports %s, both of layer %d: %s", from, to, a.layer, a.why)
}

// under says that pkg is path or stands below it.
func under(pkg, path string) bool {
	return pkg == path || strings.HasPrefix(pkg, path+"/")
}

func isUnderOne(pkg string, paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return under(pkg, path) })
}
