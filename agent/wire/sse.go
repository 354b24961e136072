package wire

import "bytes"

// events walks over a stream of server-sent events, as the HTML standard parses
// them, and gives the data of each. A stream that breaks off gives what stood
// behind the last blank line as well: whether that is whole shows when it is
// read.
type events struct {
	rest   []byte
	joined []byte // data of several lines
}

// begin starts on a body.
func (e *events) begin(body []byte) {
	e.rest = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
}

// next gives the data of the next event that has any. It is valid until the next
// call, or, where it stands on one line, as long as the body.
func (e *events) next() (data []byte, ok bool) {
	lines := 0
	for len(e.rest) > 0 {
		line := e.line()
		if len(line) == 0 {
			if lines > 0 {
				return data, true
			}
			continue
		}
		value, isData := dataOf(line)
		if !isData {
			continue
		}
		switch lines++; lines {
		case 1:
			data = value
		case 2:
			e.joined = append(append(append(e.joined[:0], data...), '\n'), value...)
			data = e.joined
		default:
			e.joined = append(append(e.joined, '\n'), value...)
			data = e.joined
		}
	}
	return data, lines > 0
}

// line takes a line, whichever way it ends.
func (e *events) line() []byte {
	end := bytes.IndexAny(e.rest, "\r\n")
	if end < 0 {
		line := e.rest
		e.rest = nil
		return line
	}
	line := e.rest[:end]
	if e.rest[end] == '\r' && end+1 < len(e.rest) && e.rest[end+1] == '\n' {
		end++
	}
	e.rest = e.rest[end+1:]
	return line
}

// dataOf gives the value of a line of data.
func dataOf(line []byte) (value []byte, ok bool) {
	value, ok = bytes.CutPrefix(line, []byte("data"))
	switch {
	case !ok || len(value) > 0 && value[0] != ':':
		return nil, false
	case len(value) == 0:
		return value, true
	}
	return bytes.TrimPrefix(value[1:], []byte(" ")), true
}

// isDone says that data is the mark by which OpenAI's streams end.
func isDone(data []byte) bool { return string(bytes.TrimSpace(data)) == "[DONE]" }
