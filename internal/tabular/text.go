package tabular

import (
	"bufio"
	"bytes"
	"io"
)

// textReader gives the bytes of a text file after a byte order mark. It refuses
// UTF-16, which spreadsheets call Unicode.
func textReader(name, format string, from io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(from, 1<<16)
	start, _ := buffered.Peek(3) // a shorter file fails where it is read
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return nil, fault(format, "save it as UTF-8", "%s:1:1: the file is in UTF-16", name)
	}
	if bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3) // buffered already: cannot fail
	}
	return buffered, nil
}

// cureEncoding is what to do about bytes that are not UTF-8: they would change
// on their way through JSON.
const cureEncoding = "convert the file, for example with iconv -f latin1 -t utf-8"
