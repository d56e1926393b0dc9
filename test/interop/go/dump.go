package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// entry is one line of a dump: a bucket with its sequence, or a key with its
// value. Lines come depth first and in key order, so two equal files give equal
// dumps.
type entry struct {
	Path     []hexBytes `json:"path"`
	Sequence *string    `json:"sequence,omitempty"`
	Key      *hexBytes  `json:"key,omitempty"`
	Value    *hexBytes  `json:"value,omitempty"`
}

// dump prints the whole file.
func dump(arguments []string) error {
	flags := newFileFlags("dump")
	*flags.readOnly = true
	db, err := flags.open(arguments)
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			return dumpBucket(encoder, []hexBytes{name}, bucket)
		})
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

func dumpBucket(encoder *json.Encoder, path []hexBytes, bucket *bolt.Bucket) error {
	sequence := fmt.Sprint(bucket.Sequence())
	if err := encoder.Encode(entry{Path: path, Sequence: &sequence}); err != nil {
		return err
	}
	return bucket.ForEach(func(key, value []byte) error {
		if value == nil {
			inner := append(append([]hexBytes{}, path...), key)
			return dumpBucket(encoder, inner, bucket.Bucket(key))
		}
		k, v := hexBytes(key), hexBytes(value)
		return encoder.Encode(entry{Path: path, Key: &k, Value: &v})
	})
}

// report is the answer of check.
type report struct {
	OK        bool     `json:"ok"`
	Errors    []string `json:"errors"`
	PageSize  int      `json:"pageSize"`
	FreePages int      `json:"freePages"`
	Keys      int      `json:"keys"`
}

// check runs bbolt's own consistency check, which follows pages, and then what
// it leaves out: keys in order, and each found again from the root, which a
// wrong separator in a branch page would prevent.
func check(arguments []string) error {
	flags := newFileFlags("check")
	*flags.readOnly = true
	db, err := flags.open(arguments)
	if err != nil {
		return err
	}
	defer db.Close()
	result := report{Errors: []string{}, PageSize: db.Info().PageSize}
	err = db.View(func(tx *bolt.Tx) error {
		for problem := range tx.Check() {
			result.Errors = append(result.Errors, problem.Error())
		}
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			result.checkKeys(fmt.Sprintf("%x", name), bucket)
			return nil
		})
	})
	if err != nil {
		return err
	}
	result.FreePages = db.Stats().FreePageN
	result.OK = len(result.Errors) == 0
	return answer(result)
}

func (r *report) checkKeys(path string, bucket *bolt.Bucket) {
	var previous []byte
	cursor := bucket.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		r.Keys++
		if previous != nil && bytes.Compare(previous, key) >= 0 {
			r.Errors = append(r.Errors, fmt.Sprintf("bucket %s: key %x is not after %x", path, key, previous))
		}
		previous = key
		if value != nil {
			if !bytes.Equal(bucket.Get(key), value) {
				r.Errors = append(r.Errors, fmt.Sprintf("bucket %s: key %x is not found from the root", path, key))
			}
			continue
		}
		inner := bucket.Bucket(key)
		if inner == nil {
			r.Errors = append(r.Errors, fmt.Sprintf("bucket %s/%x is not found from the root", path, key))
			continue
		}
		r.checkKeys(fmt.Sprintf("%s/%x", path, key), inner)
	}
}
