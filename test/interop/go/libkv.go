package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/docker/libkv/store"
	"github.com/docker/libkv/store/boltdb"
	"github.com/docker/libkv/store/etcd"
	"github.com/docker/libkv/store/zookeeper"
)

// libkvCall is one line of stdin, a call of libkv's Store.
type libkvCall struct {
	Call  string   `json:"call"`
	Key   string   `json:"key"`
	Value hexBytes `json:"value"`
	// Previous is the index that atomicPut and atomicDelete compare; absent
	// means the key must not exist.
	Previous *uint64 `json:"previous,string"`
	// TTL of a put or a lock in seconds; 0 is none, and libkv's default for a lock.
	TTL int `json:"ttl"`
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
	Held   *bool       `json:"held,omitempty"`
	Error  string      `json:"error,omitempty"`
}

// serveLibkv answers calls on one of libkv's stores until stdin ends: boltdb on
// a file, or etcd (its v2 API) or ZooKeeper at the addresses that are named.
func serveLibkv(arguments []string) error {
	flags := flag.NewFlagSet("libkv", flag.ExitOnError)
	backend := flags.String("backend", string(store.BOLTDB), "boltdb, etcd or zk")
	bucket := flags.String("bucket", "kvasir", "the bucket that holds the keys")
	persist := flags.Bool("persist", false, "keep the file open and locked between calls")
	timeout := flags.Duration("timeout", 10*time.Second, "how long to wait for the file lock")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	open := boltdb.New
	switch store.Backend(*backend) {
	case store.ETCD:
		open = etcd.New
	case store.ZK:
		open = zookeeper.New
	}
	kv, err := open(flags.Args(), &store.Config{
		Bucket:            *bucket,
		PersistConnection: *persist,
		ConnectionTimeout: *timeout,
	})
	if err != nil {
		return err
	}
	defer kv.Close()
	locks, watches := heldLocks{}, watches{}
	return eachLine(func(call *libkvCall) error {
		run := locks.call(call.Call)
		if run == nil {
			run = watches.call(call.Call)
		}
		if run != nil {
			result, err := run(kv, call)
			if err != nil {
				result.Error = err.Error()
			}
			return answer(result)
		}
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
		return result, kv.Put(c.Key, c.Value, c.writeOptions())
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
		_, pair, err := kv.AtomicPut(c.Key, c.Value, previous, c.writeOptions())
		return answerPairs(err, pair)
	case "atomicDelete":
		_, err := kv.AtomicDelete(c.Key, previous)
		return result, err
	default:
		return result, errors.New("unknown call " + c.Call)
	}
}

// writeOptions has the ttl, if there is one.
func (c *libkvCall) writeOptions() *store.WriteOptions {
	if c.TTL == 0 {
		return nil
	}
	return &store.WriteOptions{TTL: time.Duration(c.TTL) * time.Second}
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
