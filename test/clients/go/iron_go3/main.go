// The official client iron_go3, its package cache.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/iron-io/iron_go3/cache"
	"github.com/iron-io/iron_go3/config"
)

func connect(token string) *cache.Cache {
	port, _ := strconv.Atoi(os.Getenv("CLIENT_HTTP_PORT"))
	settings := config.ManualConfig("iron_cache", &config.Settings{
		Token: token, ProjectId: os.Getenv("CLIENT_PROJECT"),
		Scheme: "http", Host: os.Getenv("CLIENT_HOST"), Port: uint16(port),
	})
	return &cache.Cache{Settings: settings, Name: os.Getenv("CLIENT_CACHE")}
}

func main() {
	c := connect(os.Getenv("CLIENT_TOKEN"))
	expect := func(key string, value interface{}) error {
		found, err := c.Get(key)
		if err != nil {
			return err
		}
		return same(found, value)
	}
	put := func(key string, value interface{}) error { return c.Put(key, &cache.Item{Value: value}) }

	operation("put, get", func() error {
		return first(put("key", "value"), expect("key", "value"), put("empty", ""), expect("empty", ""))
	})
	operation("types", func() error {
		for _, value := range []interface{}{"text", "ä ☃ 𝄞", "42", 42.0, -1.5, true, false} {
			if err := first(put("typed", value), expect("typed", value)); err != nil {
				return err
			}
		}
		return nil
	})
	operation("codec", func() error {
		// Its other codec, Gob, loses bytes on the way into JSON, before they leave the client.
		type thing struct{ Name string }
		var found thing
		err := first(cache.JSON.Put(c, "coded", &cache.Item{Object: thing{"a thing"}}), cache.JSON.Get(c, "coded", &found))
		return first(err, same(found.Name, "a thing"))
	})
	operation("missing key, wrong token", func() error {
		return first(refused(c.Get("not-there")), refused(nil, c.Delete("not-there")),
			refused(connect("wrong").Get("key")))
	})
	operation("add, replace", func() error {
		add := func(value string) error { return c.Put("added", &cache.Item{Value: value, Add: true}) }
		return first(add("1"), add("2"), expect("added", "1"),
			c.Put("added", &cache.Item{Value: "3", Replace: true}), expect("added", "3"))
	})
	say("absent", "cas")
	operation("increment", func() error {
		err := put("number", 10)
		up, err1 := c.Increment("number", 5)
		down, err2 := c.Increment("number", -20)
		return first(err, err1, err2, same(up, 15.0), same(down, -5.0), put("text", "text"),
			refused(c.Increment("text", 1)))
	})
	operation("900 KB", func() error {
		large := strings.Repeat("x", 900*1024)
		return first(put("large", large), expect("large", large))
	})
	operation("expiry", func() error {
		err := first(c.Set("expiring", "1", 1), expect("expiring", "1"))
		time.Sleep(2100 * time.Millisecond)
		meta, err1 := c.GetMeta("key")
		return first(err, refused(c.Get("expiring")), err1, same(meta["expires"], "9999-01-01T00:00:00Z"))
	})
	operation("delete", func() error { return first(c.Delete("key"), refused(c.Get("key"))) })
	operation("keys with every kind of character", func() error {
		for _, key := range []string{"a b", "a%b", "ä", "[a]", "a+b"} {
			if err := first(put(key, "of "+key), expect(key, "of "+key)); err != nil {
				return fmt.Errorf("%s: %v", key, err)
			}
		}
		return nil
	})
	operation("list", func() error {
		caches, err := c.ListCaches(0, 100)
		if err != nil {
			return err
		}
		for _, found := range caches {
			if found.Name == c.Name {
				return nil
			}
		}
		return errors.New("not listed")
	})
	operation("server version", func() error {
		version, err := c.ServerVersion()
		if err == nil && version == "" {
			return errors.New("no version")
		}
		return err
	})
	operation("clear", func() error { return first(c.Clear(), refused(c.Get("number"))) })
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

func refused(found interface{}, err error) error {
	if err == nil {
		return fmt.Errorf("%v instead of an error", found)
	}
	return nil
}

func same(found, expected interface{}) error {
	if found == expected {
		return nil
	}
	return fmt.Errorf("%.80v instead of %.80v", found, expected)
}
