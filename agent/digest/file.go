package digest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// atOnce is how large a file may be whose digest is taken when it is opened, in
// bytes; that of a larger one is taken beside the requests.
const atOnce = 16 << 20

// chunk is how much is read between two rests, in bytes.
const chunk = 1 << 20

// restful is how many times as long as it works the digest of a file rests, so
// that the model server keeps its processor.
const restful = 4

// File is a file whose digest, or whose text, names a part. Safe for concurrent
// use.
type File struct {
	path string
	text bool // the content itself is the value

	value atomic.Pointer[string]

	refreshing sync.Mutex
	seen       os.FileInfo // of which value is; nil: none
	failed     string      // the last failure, which is told once
}

// Open looks at a file whose digest is wanted. It need not be there yet: models
// may be fetched after the agent has begun. A folder is an error.
func Open(path string) (*File, error) { return open(&File{path: path}) }

// OpenText looks at a file whose content is wanted, a line of it.
func OpenText(path string) (*File, error) { return open(&File{path: path, text: true}) }

func open(f *File) (*File, error) {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, errs.E("look at a file of lineage", errs.Invalid, err, "")
	case info.IsDir():
		return nil, errs.E("look at a file of lineage", errs.Invalid, fmt.Errorf("%s is a folder", f.path), "name a file, such as a list of the folder's digests")
	case info.Size() > atOnce:
		return f, nil
	}
	_, err = f.refresh(context.Background(), false)
	return f, err
}

// Value gives what the file names; empty: it is not known, or not yet.
func (f *File) Value() string {
	if v := f.value.Load(); v != nil {
		return *v
	}
	return ""
}

// Path names the file.
func (f *File) Path() string { return f.path }

// Refresh takes the digest again where the file has changed, at a pace that
// leaves the processor to others, and says whether it is another one. While it is
// taken the old one stands. A file that is gone has none. An error is given once,
// until it is another one or all is well.
func (f *File) Refresh(ctx context.Context) (changed bool, err error) {
	changed, err = f.refresh(ctx, true)
	if ctx.Err() != nil {
		return changed, nil
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.refreshing.Lock()
	defer f.refreshing.Unlock()
	if text == f.failed {
		err = nil
	}
	f.failed = text
	return changed, err
}

func (f *File) refresh(ctx context.Context, paced bool) (changed bool, err error) {
	f.refreshing.Lock()
	defer f.refreshing.Unlock()
	before, err := os.Stat(f.path)
	if err != nil {
		f.seen = nil
		return f.set(""), errs.E("look at a file of lineage", errs.Invalid, err, "")
	}
	if f.seen != nil && unchanged(f.seen, before) {
		return false, nil
	}
	value, err := f.read(ctx, paced)
	if err != nil {
		f.seen = nil
		if ctx.Err() != nil {
			return false, err
		}
		return f.set(""), errs.E("read "+f.path, errs.Invalid, err, "")
	}
	after, err := os.Stat(f.path)
	if err != nil || !unchanged(before, after) { // it is being written: the next look tells
		return false, nil
	}
	f.seen = after
	return f.set(value), nil
}

// set says whether the value is another one.
func (f *File) set(value string) bool {
	if f.Value() == value {
		return false
	}
	f.value.Store(&value)
	return true
}

// unchanged says that a file is the same, as far as can be told without reading
// it.
func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (f *File) read(ctx context.Context, paced bool) (string, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	if f.text {
		raw, err := io.ReadAll(io.LimitReader(file, 2*signal.MaxLineageText))
		text := strings.TrimSpace(string(raw))
		if err == nil && text != "" && !signal.IsLineageText(text) {
			err = fmt.Errorf("longer than %d bytes, or not one line of text", signal.MaxLineageText)
		}
		return text, err
	}
	sum := sha256.New()
	if err := digestOf(ctx, sum, file, paced); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// digestOf adds a file to a sum, resting between chunks where it is paced.
func digestOf(ctx context.Context, sum hash.Hash, file io.Reader, paced bool) error {
	for {
		began := time.Now()
		_, err := io.CopyN(sum, file, chunk)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if paced {
			rest := time.NewTimer(restful * time.Since(began))
			select {
			case <-ctx.Done():
				rest.Stop()
				return ctx.Err()
			case <-rest.C:
			}
		}
	}
}
