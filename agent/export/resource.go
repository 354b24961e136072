package export

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/evenkeel/evenkeel/signal"
)

// serviceName is service.name: the program that produces the telemetry. The AI
// system it watches is evenkeel.system.id.
const serviceName = "evenkeel-agent"

// scopeName is the instrumentation scope of everything the agent sends.
const scopeName = "github.com/evenkeel/evenkeel/agent"

// Identity says who sends.
type Identity struct {
	System      signal.SystemID
	Instance    signal.InstanceID
	Environment string // empty: not sent
	Version     string // of the agent
}

func (id Identity) resource() *resource.Resource {
	attrs := []attribute.KeyValue{
		attribute.String(signal.KeyServiceName, serviceName),
		attribute.String(signal.KeyInstanceID, string(id.Instance)),
		attribute.String("service.version", id.Version),
		attribute.String(signal.KeySystemID, string(id.System)),
		attribute.String(signal.KeyAgentVersion, id.Version),
	}
	if id.Environment != "" {
		attrs = append(attrs, attribute.String(signal.KeyEnvironment, id.Environment))
	}
	return resource.NewSchemaless(attrs...)
}

// producer is who OpenLineage says that tells: a URI.
func (id Identity) producer() string {
	return "https://" + scopeName + "@" + id.Version
}
