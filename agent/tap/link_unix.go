//go:build unix

package tap

import "syscall"

// nothingToRead says that a connection is open and has nothing to be read: at
// its end there would be a zero, else a byte that nobody asked for.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
