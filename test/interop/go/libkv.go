package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/docker/libkv/store"
	"github.com/docker/libkv/store/boltdb"
)

// libkvCall is one line of stdin, a call of libkv's Store.
type libkvCall struct {
	Call  string   `json:"call"`
	Key   string   `json:"key"`
	Value hexBytes `json:"value"`
	// Previous is the index that atomicPut and atomicDelete compare; absent
	// means the key must not exist.
	Previous *uint64 `json:"previous,string"`
}

// libkvPair is a key as libkv gives it back.
type libkvPair struct {
	Key   string   `json:"key"`
	Value hexBytes `json:"value"`
	Index uint64   `json:"index,string"`
}

// libkvAnswer has what the call gave back, or the text of its error.
type libkvAnswer struct {
	Pairs  []libkvPair `json:"pairs,omitempty"`
	Exists *bool       `json:"exists,omitempty"`
	Error  string      `json:"error,omitempty"`
}

// serveLibkv answers calls on libkv's boltdb store until stdin ends.
func serveLibkv(arguments []string) error {
	flags := flag.NewFlagSet("libkv", flag.ExitOnError)
	bucket := flags.String("bucket", "kvasir", "the bucket that holds the keys")
	persist := flags.Bool("persist", false, "keep the file open and locked between calls")
	timeout := flags.Duration("timeout", 10*time.Second, "how long to wait for the file lock")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	kv, err := boltdb.New(flags.Args(), &store.Config{
		Bucket:            *bucket,
		PersistConnection: *persist,
		ConnectionTimeout: *timeout,
	})
	if err != nil {
		return err
	}
	defer kv.Close()
	return eachLine(func(call *libkvCall) error {
		result, err := call.run(kv)
		if err != nil {
			return answer(libkvAnswer{Error: err.Error()})
		}
		return answer(result)
	})
}

func (c *libkvCall) run(kv store.Store) (result libkvAnswer, err error) {
	// libkv indexes past the end of values shorter than its 8-byte index.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	var previous *store.KVPair
	if c.Previous != nil {
		previous = &store.KVPair{Key: c.Key, LastIndex: *c.Previous}
	}
	switch c.Call {
	case "put":
		return result, kv.Put(c.Key, c.Value, nil)
	case "get":
		pair, err := kv.Get(c.Key)
		return answerPairs(err, pair)
	case "exists":
		exists, err := kv.Exists(c.Key)
		result.Exists = &exists
		return result, err
	case "delete":
		return result, kv.Delete(c.Key)
	case "list":
		pairs, err := kv.List(c.Key)
		return answerPairs(err, pairs...)
	case "deleteTree":
		return result, kv.DeleteTree(c.Key)
	case "atomicPut":
		_, pair, err := kv.AtomicPut(c.Key, c.Value, previous, nil)
		return answerPairs(err, pair)
	case "atomicDelete":
		_, err := kv.AtomicDelete(c.Key, previous)
		return result, err
	default:
		return result, errors.New("unknown call " + c.Call)
	}
}

func answerPairs(err error, pairs ...*store.KVPair) (libkvAnswer, error) {
	if err != nil {
		return libkvAnswer{}, err
	}
	result := libkvAnswer{}
	for _, pair := range pairs {
		result.Pairs = append(result.Pairs, libkvPair{Key: pair.Key, Value: pair.Value, Index: pair.LastIndex})
	}
	return result, nil
}
