package main

import (
	"fmt"
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// work is one line of stdin: what to time, and on how much.
//
//	bulk       put Count keys in one transaction
//	get        Count random keys, a read transaction each
//	getInOne   Count random keys in one read transaction
//	put        Count random keys, one durable transaction each
//	batch      Count random keys through db.Batch from Inflight goroutines
//	insert     Count new keys in random order, one transaction each
//	scan       a cursor over everything, Count times
type work struct {
	Work     string `json:"work"`
	Count    int    `json:"count"`
	Keys     int    `json:"keys"`
	Inflight int    `json:"inflight"`
	Seed     int64  `json:"seed"`
}

// timing is the answer: operations per second (keys per second for bulk and
// scan) and CPU microseconds of this process for each.
type timing struct {
	Work      string  `json:"work"`
	Count     int     `json:"count"`
	PerSecond float64 `json:"perSecond"`
	CPUUs     float64 `json:"cpuUs"`
	FileBytes int64   `json:"fileBytes"`
}

var benchBucket = []byte("bench")

// benchKey is the 21-byte key of a number.
func benchKey(i int) []byte {
	return []byte(fmt.Sprintf("bench/key/%011d", i))
}

func bench(arguments []string) error {
	db, err := newFileFlags("bench").open(arguments)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(benchBucket)
		return err
	})
	if err != nil {
		return err
	}
	return eachLine(func(w *work) error {
		result, err := w.time(db)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Work, err)
		}
		return answer(result)
	})
}

func (w *work) time(db *bolt.DB) (*timing, error) {
	random := rand.New(rand.NewSource(w.Seed))
	var order [][]byte
	switch w.Work {
	case "scan":
	case "bulk":
		for i := 0; i < w.Count; i++ {
			order = append(order, benchKey(i))
		}
	case "insert":
		for _, i := range random.Perm(w.Count) {
			order = append(order, benchKey(i))
		}
	default:
		for i := 0; i < w.Count; i++ {
			order = append(order, benchKey(random.Intn(w.Keys)))
		}
	}
	value := make([]byte, 128)
	random.Read(value)

	cpu, start := cpuTime(), time.Now()
	done, err := w.run(db, order, value)
	elapsed, used := time.Since(start), cpuTime()-cpu
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(db.Path())
	if err != nil {
		return nil, err
	}
	return &timing{
		Work:      w.Work,
		Count:     done,
		PerSecond: float64(done) / elapsed.Seconds(),
		CPUUs:     float64(used.Microseconds()) / float64(done),
		FileBytes: info.Size(),
	}, nil
}

// run does the work and gives back how many operations that was.
func (w *work) run(db *bolt.DB, order [][]byte, value []byte) (int, error) {
	put := func(key []byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return tx.Bucket(benchBucket).Put(key, value) }
	}
	get := func(tx *bolt.Tx, key []byte) error {
		if found := tx.Bucket(benchBucket).Get(key); len(found) != len(value) {
			return fmt.Errorf("key %s: %d bytes", key, len(found))
		}
		return nil
	}
	switch w.Work {
	case "bulk":
		return len(order), db.Update(func(tx *bolt.Tx) error {
			bucket := tx.Bucket(benchBucket)
			for _, key := range order {
				if err := bucket.Put(key, value); err != nil {
					return err
				}
			}
			return nil
		})
	case "get":
		for _, key := range order {
			if err := db.View(func(tx *bolt.Tx) error { return get(tx, key) }); err != nil {
				return 0, err
			}
		}
		return len(order), nil
	case "getInOne":
		return len(order), db.View(func(tx *bolt.Tx) error {
			for _, key := range order {
				if err := get(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
	case "put", "insert":
		for _, key := range order {
			if err := db.Update(put(key)); err != nil {
				return 0, err
			}
		}
		return len(order), nil
	case "batch":
		return len(order), w.batch(db, order, put)
	case "scan":
		return w.scan(db)
	default:
		return 0, fmt.Errorf("unknown work %q", w.Work)
	}
}

// batch spreads the keys over Inflight goroutines, each waiting for its own put.
func (w *work) batch(db *bolt.DB, order [][]byte, put func([]byte) func(*bolt.Tx) error) error {
	var next int64 = -1
	var group sync.WaitGroup
	failed := make(chan error, w.Inflight)
	for g := 0; g < w.Inflight; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				i := atomic.AddInt64(&next, 1)
				if i >= int64(len(order)) {
					return
				}
				if err := db.Batch(put(order[i])); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	group.Wait()
	close(failed)
	return <-failed
}

func (w *work) scan(db *bolt.DB) (int, error) {
	keys, bytes := 0, 0
	err := db.View(func(tx *bolt.Tx) error {
		for i := 0; i < w.Count; i++ {
			cursor := tx.Bucket(benchBucket).Cursor()
			for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
				keys++
				bytes += len(key) + len(value)
			}
		}
		return nil
	})
	if err == nil && bytes < keys {
		err = fmt.Errorf("%d keys of %d bytes in all", keys, bytes)
	}
	return keys, err
}

// cpuTime is what this process has used, user and system.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
