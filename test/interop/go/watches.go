package main

import (
	"sync"

	"github.com/docker/libkv/store"
)

// watched has what a watch of libkv's has shown of one key, one value after the
// other. docker/leadership's follower reads the leader's id so.
type watched struct {
	sync.Mutex
	pairs []*store.KVPair
}

// watches are those of one process, by key.
type watches map[string]*watched

// call gives the watch call of this name; nil when it is none.
func (w watches) call(name string) func(store.Store, *libkvCall) (libkvAnswer, error) {
	switch name {
	case "watch":
		return w.watch
	case "seen":
		return w.seen
	default:
		return nil
	}
}

// watch follows the key until libkv's watch ends.
func (w watches) watch(kv store.Store, c *libkvCall) (result libkvAnswer, err error) {
	changes, err := kv.Watch(c.Key, nil)
	if err != nil {
		return result, err
	}
	watch := &watched{}
	w[c.Key] = watch
	go func() {
		for pair := range changes {
			watch.Lock()
			watch.pairs = append(watch.pairs, pair)
			watch.Unlock()
		}
	}()
	return result, nil
}

// seen gives the values so far.
func (w watches) seen(_ store.Store, c *libkvCall) (libkvAnswer, error) {
	watch, ok := w[c.Key]
	if !ok {
		return libkvAnswer{}, nil
	}
	watch.Lock()
	defer watch.Unlock()
	return answerPairs(nil, watch.pairs...)
}
