package main

import (
	"errors"
	"time"

	"github.com/docker/libkv/store"
)

// heldLock is a lock that libkv gave, and the channel that it closes on loss.
type heldLock struct {
	locker store.Locker
	lost   <-chan struct{}
}

// heldLocks are those of one process, by key.
type heldLocks map[string]heldLock

// call gives the lock call of this name; nil when it is none.
func (h heldLocks) call(name string) func(store.Store, *libkvCall) (libkvAnswer, error) {
	switch name {
	case "lock":
		return h.lock
	case "held":
		return h.held
	case "unlock":
		return h.unlock
	default:
		return nil
	}
}

// lock waits until the lock is ours.
func (h heldLocks) lock(kv store.Store, c *libkvCall) (result libkvAnswer, err error) {
	options := &store.LockOptions{Value: c.Value, TTL: time.Duration(c.TTL) * time.Second}
	locker, err := kv.NewLock(c.Key, options)
	if err != nil {
		return result, err
	}
	lost, err := locker.Lock(nil)
	if err != nil {
		return result, err
	}
	h[c.Key] = heldLock{locker, lost}
	return result, nil
}

// held says whether libkv thinks so.
func (h heldLocks) held(_ store.Store, c *libkvCall) (result libkvAnswer, err error) {
	held := false
	if lock, ok := h[c.Key]; ok {
		select {
		case <-lock.lost:
		default:
			held = true
		}
	}
	result.Held = &held
	return result, nil
}

func (h heldLocks) unlock(_ store.Store, c *libkvCall) (result libkvAnswer, err error) {
	lock, ok := h[c.Key]
	if !ok {
		return result, errors.New("not locked")
	}
	delete(h, c.Key)
	return result, lock.locker.Unlock()
}
