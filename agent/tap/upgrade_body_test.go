package tap

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// A model server may change the protocol before it has the whole request. What
// the client sends is then read by one of us at a time, and arrives in order.
func TestAChangeOfProtocolWaitsForTheRequest(t *testing.T) {
	for range 30 {
		changed := make(chan struct{})
		got := make(chan string, 1)
		upstream := rawServer(t, func(conn net.Conn) {
			defer conn.Close()
			in := bufio.NewReader(conn)
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n")
			close(changed)
			all := make([]byte, len("0123456789ping"))
			n, _ := io.ReadFull(in, all)
			got <- string(all[:n])
			_, _ = io.WriteString(conn, "pong")
		})
		client, err := net.Dial("tcp", before(t, Options{Upstream: &url.URL{Scheme: "http", Host: upstream}}))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_ = client.SetDeadline(time.Now().Add(20 * time.Second)) // rather than to hang
		_, _ = io.WriteString(client, "POST / HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\nUpgrade: talk\r\nContent-Length: 10\r\n\r\n01")
		<-changed
		for _, part := range []string{"2345", "67", "8", "9"} {
			_, _ = io.WriteString(client, part)
		}
		in := bufio.NewReader(client)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("got %v, %v", answer, err)
		}
		_, _ = io.WriteString(client, "ping")
		if all := <-got; all != "0123456789ping" {
			t.Errorf("the model server got %q", all)
		}
		if last, err := io.ReadAll(in); string(last) != "pong" {
			t.Errorf("the client got %q, %v", last, err)
		}
		_ = client.Close()
	}
}

// A model server that changes the protocol without the body that it was offered
// leaves the rest of a request where the new protocol is to begin.
func TestAChangeOfProtocolWithoutTheBodyIsRefused(t *testing.T) {
	upstream := rawServer(t, func(conn net.Conn) {
		defer conn.Close()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n")
		}
	})
	client, err := net.Dial("tcp", before(t, Options{Upstream: &url.URL{Scheme: "http", Host: upstream}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = io.WriteString(client, "POST / HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\nUpgrade: talk\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || answer.StatusCode != http.StatusBadGateway {
		t.Fatalf("got %v, %v", answer, err)
	}
}

// A tunnel through the agent would lead past it.
func TestConnectIsRefused(t *testing.T) {
	asked := make(chan string, 1)
	upstream := rawServer(t, func(conn net.Conn) {
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		asked <- line
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	client, err := net.Dial("tcp", before(t, Options{Upstream: &url.URL{Scheme: "http", Host: upstream}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = io.WriteString(client, "CONNECT m:80 HTTP/1.1\r\nHost: m:80\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") == "" {
		t.Fatalf("got %v, %v", answer, err)
	}
	select {
	case line := <-asked:
		t.Errorf("the model server got %q", line)
	default:
	}
}
