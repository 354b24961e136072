package sdk

import (
	"context"
	"log/slog"
	"os"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/evenkeel/evenkeel/plugins/proto"
)

// KindTicketSink is the name under which go-plugin dispenses a TicketSink.
const KindTicketSink = "ticket_sink"

// Handshake lets host and plugin agree that they mean each other. It is no
// secret: a plugin that is started by hand explains itself and ends.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "EVENKEEL_PLUGIN",
	MagicCookieValue: "ticket-sink-v1",
}

// Serve runs the plugin until the collector ends it. Logs written with slog's
// default logger reach the collector's log.
func Serve(sink TicketSink) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{
		Level: slog.LevelDebug, ReplaceAttr: hclogKeys,
	})))
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: Handshake,
		Plugins:         plugin.PluginSet{KindTicketSink: &Plugin{Sink: sink}},
		GRPCServer:      plugin.DefaultGRPCServer,
	})
}

// hclogKeys writes slog's records in the form that go-plugin's host reads.
func hclogKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	case slog.LevelKey:
		return slog.String("@level", levelName(a.Value.Any().(slog.Level)))
	case slog.MessageKey:
		a.Key = "@message"
	}
	return a
}

func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	}
	return "error"
}

// Plugin joins a TicketSink to go-plugin: Sink is set in the plugin's process
// and nil in the host's.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	Sink TicketSink
}

// GRPCServer puts the sink on the plugin's server.
func (p *Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterTicketSinkServer(s, &server{sink: p.Sink})
	return nil
}

// GRPCClient gives the host a TicketSink that speaks to the plugin.
func (p *Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}
