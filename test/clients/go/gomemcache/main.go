// gomemcache, of any age: what a version does not have is asked for by interface.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

var (
	host   = os.Getenv("CLIENT_HOST")
	signIn = os.Getenv("CLIENT_TOKEN") + " " + os.Getenv("CLIENT_PROJECT") + " " + os.Getenv("CLIENT_CACHE")
)

func connect(portVariable string) *memcache.Client {
	client := memcache.New(host + ":" + os.Getenv(portVariable))
	client.Timeout = 5 * time.Second
	return client
}

func main() {
	client := connect("CLIENT_MEMCACHED_PORT")
	// Requests one after another use one connection, which has signed in.
	set := func(key, value string) error {
		return client.Set(&memcache.Item{Key: key, Value: []byte(value)})
	}
	expect := func(key, value string) error {
		item, err := client.Get(key)
		if err != nil {
			return err
		}
		return same(string(item.Value), value)
	}

	operation("wrong token", func() error {
		wrong := connect("CLIENT_MEMCACHED_PORT")
		if wrong.Set(&memcache.Item{Key: "oauth", Value: []byte("wrong" + signIn)}) == nil {
			return errors.New("signed in")
		}
		if _, err := wrong.Get("key"); err == nil || err == memcache.ErrCacheMiss {
			return fmt.Errorf("no error: %v", err)
		}
		return nil
	})
	operation("sign-in", func() error { return set("oauth", signIn) })
	operation("set, get", func() error {
		if _, err := client.Get("not-there"); err != memcache.ErrCacheMiss {
			return err
		}
		return first(set("key", "value"), expect("key", "value"), set("empty", ""), expect("empty", ""))
	})
	operation("add, replace", func() error {
		add := func(value string) error { return client.Add(&memcache.Item{Key: "added", Value: []byte(value)}) }
		replace := func(key string) error { return client.Replace(&memcache.Item{Key: key, Value: []byte("3")}) }
		return first(add("1"), is(add("2"), memcache.ErrNotStored), replace("added"),
			is(replace("not-there"), memcache.ErrNotStored), expect("added", "3"))
	})
	if c, ok := interface{}(client).(interface {
		Append(*memcache.Item) error
		Prepend(*memcache.Item) error
	}); ok {
		operation("append, prepend", func() error {
			return first(c.Append(&memcache.Item{Key: "key", Value: []byte(">")}),
				c.Prepend(&memcache.Item{Key: "key", Value: []byte("<")}), expect("key", "<value>"))
		})
	} else {
		say("absent", "append, prepend")
	}
	operation("delete", func() error {
		return first(client.Delete("key"), is(client.Delete("key"), memcache.ErrCacheMiss))
	})
	operation("incr, decr", func() error {
		err := set("number", "18446744073709551614")
		up, err1 := client.Increment("number", 1)
		wrapped, err2 := client.Increment("number", 3)
		down, err3 := client.Decrement("number", 50)
		_, missed := client.Increment("not-there", 1)
		return first(err, err1, err2, err3, same(fmt.Sprint(up, wrapped, down), "18446744073709551615 2 0"),
			is(missed, memcache.ErrCacheMiss))
	})
	operation("touch", func() error {
		return first(client.Set(&memcache.Item{Key: "touched", Value: []byte("1"), Expiration: 100}),
			client.Touch("touched", 1), is(client.Touch("not-there", 1), memcache.ErrCacheMiss))
	})
	if c, ok := interface{}(client).(interface {
		GetAndTouch(string, int32) (*memcache.Item, error)
	}); ok {
		operation("gat", func() error {
			err := client.Set(&memcache.Item{Key: "gat", Value: []byte("1"), Expiration: 1})
			item, err1 := c.GetAndTouch("gat", 100)
			if err1 != nil {
				return err1
			}
			return first(err, same(string(item.Value), "1"))
		})
	} else {
		say("absent", "gat")
	}
	operation("multi-get of 100 keys", func() error {
		keys := []string{"not-there"}
		for i := 0; i < 100; i++ {
			keys = append(keys, "many-"+strconv.Itoa(i))
			if err := set(keys[i+1], "value "+strconv.Itoa(i)); err != nil {
				return err
			}
		}
		found, err := client.GetMulti(keys)
		if err != nil {
			return err
		}
		return first(same(fmt.Sprint(len(found)), "100"), same(string(found["many-42"].Value), "value 42"))
	})
	operation("cas", func() error {
		err := set("cas", "1")
		mine, err1 := client.Get("cas")
		theirs, err2 := client.Get("cas")
		if err := first(err, err1, err2); err != nil {
			return err
		}
		mine.Value, theirs.Value = []byte("2"), []byte("3")
		return first(client.CompareAndSwap(mine), is(client.CompareAndSwap(theirs), memcache.ErrCASConflict), expect("cas", "2"))
	})
	operation("flags", func() error {
		err := client.Set(&memcache.Item{Key: "flagged", Value: []byte("1"), Flags: 4294967295})
		item, err1 := client.Get("flagged")
		if err := first(err, err1); err != nil {
			return err
		}
		return same(fmt.Sprint(item.Flags), "4294967295")
	})
	operation("all byte values", func() error {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		return first(set("bytes", string(all)), expect("bytes", string(all)))
	})
	operation("900 KB", func() error {
		large := string(bytes.Repeat([]byte("\x00\r\n\xff"), 900*256))
		return first(set("large", large), expect("large", large))
	})
	operation("expiry", func() error {
		err := first(client.Set(&memcache.Item{Key: "expiring", Value: []byte("1"), Expiration: 1}),
			client.Set(&memcache.Item{Key: "staying", Value: []byte("1"), Expiration: 100}), expect("expiring", "1"))
		time.Sleep(2100 * time.Millisecond)
		_, missed := client.Get("expiring")
		_, touched := client.Get("touched")
		return first(err, is(missed, memcache.ErrCacheMiss), is(touched, memcache.ErrCacheMiss), expect("staying", "1"))
	})
	say("absent", "stats")
	if c, ok := interface{}(client).(interface{ Ping() error }); ok {
		operation("ping", c.Ping)
	}
	operation("flush", func() error {
		if err := first(set("flushed", "1"), client.FlushAll()); err != nil {
			return err
		}
		_, missed := client.Get("flushed")
		return is(missed, memcache.ErrCacheMiss)
	})
	operation("reconnect", func() error {
		again := connect("CLIENT_MEMCACHED_PORT")
		if again.Set(&memcache.Item{Key: "key", Value: []byte("1")}) == nil {
			return errors.New("no sign-in was needed")
		}
		return first(again.Set(&memcache.Item{Key: "oauth", Value: []byte(signIn)}),
			again.Set(&memcache.Item{Key: "key", Value: []byte("again")}), expect("key", "again"))
	})
	operation("pool, bound listener", func() error {
		pool := connect("CLIENT_BOUND_PORT")
		failures := make(chan error, 200)
		var group sync.WaitGroup
		for worker := 0; worker < 8; worker++ {
			group.Add(1)
			go func(worker int) {
				defer group.Done()
				for i := 0; i < 25; i++ {
					key := fmt.Sprint("pooled-", worker, "-", i)
					failures <- pool.Set(&memcache.Item{Key: key, Value: []byte(key)})
				}
			}(worker)
		}
		group.Wait()
		close(failures)
		for err := range failures {
			if err != nil {
				return err
			}
		}
		return expect("pooled-3-7", "pooled-3-7")
	})
}

func say(words ...string) {
	for i, word := range words {
		words[i] = strings.Join(strings.Fields(word), " ")
	}
	fmt.Println(strings.Join(words, "\t"))
}

func operation(name string, run func() error) {
	if err := run(); err != nil {
		say("failed", name, err.Error())
	} else {
		say("passed", name)
	}
}

func first(failures ...error) error {
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func is(found, expected error) error {
	if found == expected {
		return nil
	}
	return fmt.Errorf("%v instead of %v", found, expected)
}

func same(found, expected string) error {
	if found == expected {
		return nil
	}
	return fmt.Errorf("%.80q instead of %.80q", found, expected)
}
