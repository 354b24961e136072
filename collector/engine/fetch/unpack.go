package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// checkIntegrity compares a file with an integrity in npm's form.
func checkIntegrity(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("check integrity: %w", err)
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("check integrity: %w", err)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("the package is not the one that was pinned: integrity %s, want %s; nothing was installed, "+
			"check which registry npm uses", got, want)
	}
	return nil
}

// extract takes one member out of a packed file.
func extract(packed, member, into string) (stamp, error) {
	f, err := os.Open(packed)
	if err != nil {
		return stamp{}, fmt.Errorf("unpack: %w", err)
	}
	defer f.Close()
	inflated, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return stamp{}, fmt.Errorf("unpack: %w", err)
	}
	archive := tar.NewReader(inflated)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return stamp{}, fmt.Errorf("unpack: the package holds no %s", member)
		}
		if err != nil {
			return stamp{}, fmt.Errorf("unpack: %w", err)
		}
		if header.Name == member && header.Typeflag == tar.TypeReg {
			return save(archive, into)
		}
	}
}

// save writes and syncs a file, so that the stamp is never about bytes that a
// loss of power took back.
func save(from io.Reader, into string) (stamp, error) {
	f, err := os.OpenFile(into, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return stamp{}, fmt.Errorf("unpack: %w", err)
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, sum), from)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return stamp{}, fmt.Errorf("unpack: %w", err)
	}
	return stamp{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
