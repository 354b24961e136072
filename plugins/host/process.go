package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/hashicorp/go-plugin"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// process is one run of the plugin's program.
type process struct {
	client *plugin.Client
	cmd    *exec.Cmd
	sink   sdk.TicketSink
	about  sdk.Description
	tmp    string // holds the socket
}

// launch starts the program, agrees with it, and configures it. The calling
// goroutine must stay on its thread for as long as the process lives: the
// kernel sends the parent-death signal when that thread ends.
func launch(o *Options) (*process, error) {
	tmp, err := os.MkdirTemp("", "evenkeel-plugin-")
	if err != nil {
		return nil, fmt.Errorf("folder for the plugin's socket: %w", err)
	}
	p := &process{tmp: tmp, cmd: exec.Command(o.Path)}
	p.cmd.Env = environment(tmp)
	p.cmd.Dir = tmp
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	sum, err := hex.DecodeString(o.SHA256)
	if err != nil {
		return nil, errors.Join(errs.E("sha256", errs.Invalid, err, ""), os.RemoveAll(tmp))
	}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  sdk.Handshake,
		Plugins:          plugin.PluginSet{sdk.KindTicketSink: &sdk.Plugin{}},
		Cmd:              p.cmd,
		SecureConfig:     &plugin.SecureConfig{Checksum: sum, Hash: sha256.New()},
		StartTimeout:     o.StartTimeout,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           newLogger(o.Log),
		AutoMTLS:         true,
		SkipHostEnv:      true,
	})
	if err := p.connect(o); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

func (p *process) connect(o *Options) error {
	conn, err := p.client.Client()
	if err != nil {
		return fmt.Errorf("start %s: %w", o.Path, err)
	}
	raw, err := conn.Dispense(sdk.KindTicketSink)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.Path, err)
	}
	sink, ok := raw.(sdk.TicketSink)
	if !ok {
		return fmt.Errorf("connect to %s: it gives a %T", o.Path, raw)
	}
	p.sink = sink
	ctx, cancel := context.WithTimeout(context.Background(), o.StartTimeout)
	defer cancel()
	if p.about, err = sink.Describe(ctx); err != nil {
		return err
	}
	return sink.Validate(ctx, o.Config)
}

// end stops the process, its descendants, and everything that belongs to it.
// go-plugin asks it to leave and kills it when it has not after 2 s.
func (p *process) end() {
	p.client.Kill()
	if p.cmd.Process != nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what it left behind; mostly nobody
	}
	_ = os.RemoveAll(p.tmp) // under the system's temporary folder
}

// environment is all that a plugin sees of ours: where certificates are and
// which time zone people use.
func environment(tmp string) []string {
	env := []string{"TMPDIR=" + tmp}
	for _, name := range []string{"PATH", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
