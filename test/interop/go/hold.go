package main

import (
	"fmt"
	"io"
	"os"
)

// hold opens the file, says "locked", and keeps the lock until stdin ends.
func hold(arguments []string) error {
	db, err := newFileFlags("hold").open(arguments)
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println("locked")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Println("released")
	return nil
}
