package agent

import (
	"net"
	"strings"
	"testing"
	"time"
)

// BenchmarkForwarding sends the load of BenchmarkThroughput by turns over four
// ways: a plain copy of the byte streams, which is the limit for any program that
// stands between client and model server; httputil.ReverseProxy; and the agent,
// which profiles every request, without telling predictions and with it. Each
// ratio is the median over all rounds of the requests per second, or per second of
// processor time (-cpu), over those of the copy. docs/adr/0005 draws its
// conclusion from them.
func BenchmarkForwarding(b *testing.B) {
	model := speedServer(b)
	profiles := speedAgent(b, model, receiveNothing(b), false)
	tells := speedAgent(b, model, receiveNothing(b), true)
	copied := speedClients(b, copyStreams(b, strings.TrimPrefix(model, "http://")))
	ways := []struct {
		name    string
		clients []*speedClient
		follow  func()
	}{
		{"copy/copy", copied, nil},
		{"reverse/copy", speedClients(b, strings.TrimPrefix(plainProxy(b, model), "http://")), nil},
		{"profiles/copy", speedClients(b, profiles.Addr()), func() { waitCounted(profiles) }},
		{"tells/copy", speedClients(b, tells.Addr()), func() { waitCounted(tells) }},
	}
	for _, w := range ways {
		timeTurn(b, w.clients, w.follow)
	}
	ratios, cpu := make([][]float64, len(ways)), make([][]float64, len(ways))
	for b.Loop() {
		var copying, used time.Duration
		for i, w := range ways {
			begin := processorTime()
			took := timeTurn(b, w.clients, w.follow)
			if w.follow != nil {
				time.Sleep(speedSettles)
			}
			uses := processorTime() - begin
			if i == 0 {
				copying, used = took, uses
			}
			ratios[i] = append(ratios[i], copying.Seconds()/took.Seconds())
			cpu[i] = append(cpu[i], used.Seconds()/uses.Seconds())
		}
	}
	for i, w := range ways[1:] {
		b.ReportMetric(middle(ratios[i+1]), w.name)
		b.ReportMetric(middle(cpu[i+1]), w.name+"-cpu")
	}
	for _, c := range copied { // ends the copies
		_ = c.conn.Close()
	}
}

// copyStreams forwards the bytes of every connection, each on one of its own.
func copyStreams(b *testing.B, upstream string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				b.Error(err)
				return
			}
			go copyOneWay(client, server)
			go copyOneWay(server, client)
		}
	}()
	b.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// copyOneWay copies through memory, as a program must that looks at the bytes.
func copyOneWay(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
