package main

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// operation is one step of a transaction. Bucket is the path of nested bucket
// names; buckets on the path are made when they are missing.
type operation struct {
	Op     string     `json:"op"`
	Bucket []hexBytes `json:"bucket"`
	Key    hexBytes   `json:"key"`
	Value  hexBytes   `json:"value"`
	// Size, when set, repeats Value up to this many bytes.
	Size int `json:"size"`
	// Sequence is the number for setSequence.
	Sequence uint64 `json:"sequence,string"`
}

// transaction is one line of stdin.
type transaction struct {
	Operations []operation `json:"ops"`
	// Rollback applies the operations and then drops them.
	Rollback bool `json:"rollback"`
}

var errRollback = errors.New("rolled back on request")

// apply runs the transactions of stdin and answers with their number.
func apply(arguments []string) error {
	db, err := newFileFlags("apply").open(arguments)
	if err != nil {
		return err
	}
	defer db.Close()
	committed := 0
	err = eachLine(func(t *transaction) error {
		err := db.Update(func(tx *bolt.Tx) error {
			for i := range t.Operations {
				if err := t.Operations[i].run(tx); err != nil {
					return fmt.Errorf("operation %d, %s: %w", i, t.Operations[i].Op, err)
				}
			}
			if t.Rollback {
				return errRollback
			}
			return nil
		})
		if err == errRollback {
			return nil
		}
		committed++
		return err
	})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return answer(map[string]int{"committed": committed})
}

func (o *operation) run(tx *bolt.Tx) error {
	if o.Op == "deleteBucket" {
		return o.deleteBucket(tx)
	}
	bucket, err := o.openBucket(tx)
	if err != nil {
		return err
	}
	switch o.Op {
	case "createBucket":
		return nil
	case "put":
		return bucket.Put(o.Key, o.value())
	case "delete":
		return bucket.Delete(o.Key)
	case "setSequence":
		return bucket.SetSequence(o.Sequence)
	case "nextSequence":
		_, err := bucket.NextSequence()
		return err
	default:
		return fmt.Errorf("unknown operation %q", o.Op)
	}
}

// openBucket walks the path and makes what is missing of it.
func (o *operation) openBucket(tx *bolt.Tx) (*bolt.Bucket, error) {
	if len(o.Bucket) == 0 {
		return nil, errors.New("no bucket named")
	}
	bucket, err := tx.CreateBucketIfNotExists(o.Bucket[0])
	for _, name := range o.Bucket[1:] {
		if err != nil {
			return nil, err
		}
		bucket, err = bucket.CreateBucketIfNotExists(name)
	}
	return bucket, err
}

// deleteBucket removes the last bucket of the path; an absent one is no error.
func (o *operation) deleteBucket(tx *bolt.Tx) error {
	if len(o.Bucket) == 0 {
		return errors.New("no bucket named")
	}
	last := len(o.Bucket) - 1
	var err error
	if last == 0 {
		err = tx.DeleteBucket(o.Bucket[0])
	} else {
		parent := operation{Bucket: o.Bucket[:last]}
		bucket, openErr := parent.openBucket(tx)
		if openErr != nil {
			return openErr
		}
		err = bucket.DeleteBucket(o.Bucket[last])
	}
	if errors.Is(err, bolt.ErrBucketNotFound) {
		return nil
	}
	return err
}

func (o *operation) value() []byte {
	if o.Size == 0 {
		return o.Value
	}
	times := o.Size/len(o.Value) + 1
	return bytes.Repeat(o.Value, times)[:o.Size]
}
