// Command oracle lets the tests of Kvasir ask Go's bbolt and libkv what they
// make of a file, and have them write files of their own. It is built with
// Debian's packages (see ../support/go.ts) and speaks JSON lines: one request
// or transaction per line on stdin, one answer per line on stdout.
//
//	oracle apply  [options] FILE   apply transactions from stdin
//	oracle dump   FILE             print all buckets, keys and values
//	oracle check  FILE             run tx.Check() and look every key up
//	oracle hold   [options] FILE   hold the file lock until stdin ends
//	oracle bench  [options] FILE   run the timed works named on stdin
//	oracle libkv  [options] FILE   serve docker/libkv's store on the file, or
//	                               with -backend=etcd or zk at the addresses
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// exitTimeout is the exit code when the file lock was not had in time.
const exitTimeout = 3

// What one oracle process may use: bbolt's check keeps a map of every page that
// a damaged file claims to have, and its walks need not end.
const (
	maxMemoryBytes = 2 << 30
	maxCPUSeconds  = 300
)

func limitResources() error {
	for resource, limit := range map[int]uint64{syscall.RLIMIT_DATA: maxMemoryBytes, syscall.RLIMIT_CPU: maxCPUSeconds} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("setrlimit %d: %w", resource, err)
		}
	}
	return nil
}

func main() {
	if err := limitResources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	commands := map[string]func([]string) error{
		"apply": apply,
		"dump":  dump,
		"check": check,
		"hold":  hold,
		"bench": bench,
		"libkv": serveLibkv,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: oracle apply|dump|check|hold|bench|libkv [options] FILE")
		os.Exit(2)
	}
	err := commands[os.Args[1]](os.Args[2:])
	if errors.Is(err, bolt.ErrTimeout) {
		fmt.Fprintln(os.Stderr, "timeout")
		os.Exit(exitTimeout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fileFlags are the options that open a file, shared by the commands.
type fileFlags struct {
	set            *flag.FlagSet
	pageSize       *int
	noFreelistSync *bool
	freelistType   *string
	noSync         *bool
	readOnly       *bool
	timeout        *time.Duration
}

func newFileFlags(name string) *fileFlags {
	set := flag.NewFlagSet(name, flag.ExitOnError)
	return &fileFlags{
		set:            set,
		pageSize:       set.Int("page-size", 0, "page size in bytes of a new file, or of one whose first meta page is torn; 0 is the system's"),
		noFreelistSync: set.Bool("no-freelist-sync", false, "do not write the freelist"),
		freelistType:   set.String("freelist", string(bolt.FreelistArrayType), "array or hashmap"),
		noSync:         set.Bool("no-sync", false, "do not fsync after each transaction"),
		readOnly:       set.Bool("read-only", false, "open with a shared lock"),
		timeout:        set.Duration("timeout", 10*time.Second, "how long to wait for the file lock"),
	}
}

// open parses the arguments and opens the file they name.
func (f *fileFlags) open(arguments []string) (*bolt.DB, error) {
	if err := f.set.Parse(arguments); err != nil {
		return nil, err
	}
	if f.set.NArg() != 1 {
		return nil, fmt.Errorf("%s: one file expected, got %q", f.set.Name(), f.set.Args())
	}
	return bolt.Open(f.set.Arg(0), 0o600, &bolt.Options{
		PageSize:       *f.pageSize,
		NoFreelistSync: *f.noFreelistSync,
		FreelistType:   bolt.FreelistType(*f.freelistType),
		NoSync:         *f.noSync,
		ReadOnly:       *f.readOnly,
		Timeout:        *f.timeout,
	})
}

// hexBytes travel as a hexadecimal string in JSON.
type hexBytes []byte

func (h hexBytes) MarshalJSON() ([]byte, error) {
	return json.Marshal(hex.EncodeToString(h))
}

func (h *hexBytes) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(digits)
	*h = decoded
	return err
}

// eachLine decodes every JSON line of stdin into a fresh T and hands it on.
func eachLine[T any](fn func(*T) error) error {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	for {
		line := new(T)
		if err := decoder.Decode(line); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("stdin: %w", err)
		}
		if err := fn(line); err != nil {
			return err
		}
	}
}

// answer prints one JSON line at once: the asking test waits for it.
func answer(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
