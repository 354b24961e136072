package tap

import "bytes"

// endsOneWay says that the headers that come next name at most one way to end a
// body. A length beside chunks, which net/http drops, may mean that whoever wrote
// the two did not agree where the answer ends: nothing may follow it on its link.
// Headers that are not here as one piece could name both: false.
func (l *link) endsOneWay() bool {
	head, _ := l.in.Peek(l.in.Buffered()) // what is there: cannot fail
	length, chunks := false, false
	for {
		i := bytes.IndexByte(head, '\n')
		if i < 0 {
			return false
		}
		line := head[:i]
		head = head[i+1:]
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return !length || !chunks
		}
		switch line[0] {
		case 'c', 'C':
			length = length || isHeader(line, "Content-Length")
		case 't', 'T':
			chunks = chunks || isHeader(line, "Transfer-Encoding")
		}
	}
}

// isHeader says that a line begins with a header's name.
func isHeader(line []byte, name string) bool {
	return len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name))
}
