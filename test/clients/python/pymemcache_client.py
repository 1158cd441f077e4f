import time

from checks import *

try:
    import pymemcache
    from pymemcache.client.base import Client, PooledClient
    from pymemcache.exceptions import MemcacheClientError, MemcacheIllegalInputError
except ImportError as error:
    missing(error)

say("version", pymemcache.__version__)
client = Client((HOST, MEMCACHED_PORT), default_noreply=False)


@operation("wrong token")
def _():
    refused(lambda: client.set("oauth", WRONG_SIGN_IN), MemcacheClientError)
    refused(lambda: client.get("key"), MemcacheClientError)


@operation("sign-in")
def _():
    same(client.set("oauth", SIGN_IN), True)


@operation("set, get")
def _():
    same(client.set("key", "value"), True)
    same(client.get("key"), b"value")
    same(client.get("not-there"), None)
    same(client.set("empty", ""), True)
    same(client.get("empty"), b"")


@operation("seen by REST")
def _():
    same(by_rest("key"), b"value")


@operation("add, replace")
def _():
    same(client.add("added", "1"), True)
    same(client.add("added", "2"), False)
    same(client.replace("added", "3"), True)
    same(client.replace("not-there", "4"), False)
    same(client.get("added"), b"3")


@operation("append, prepend")
def _():
    same(client.append("key", ">"), True)
    same(client.prepend("key", "<"), True)
    same(client.get("key"), b"<value>")
    same(client.append("not-there", ">"), False)


@operation("delete")
def _():
    same(client.delete("key"), True)
    same(client.delete("key"), False)


@operation("incr, decr")
def _():
    client.set("number", "18446744073709551614")
    same(client.incr("number", 1), 18446744073709551615)
    same(client.incr("number", 2), 1)
    same(client.decr("number", 5), 0)
    same(client.incr("not-there", 1), None)
    client.set("text", "text")
    refused(lambda: client.incr("text", 1), MemcacheClientError)
    # An error makes this client close its connection, and the next one is not signed in.
    refused(lambda: client.get("text"), MemcacheClientError)
    same(client.set("oauth", SIGN_IN), True)


@operation("touch")
def _():
    client.set("touched", "1", expire=100)
    same(client.touch("touched", 1), True)
    same(client.touch("not-there", 1), False)


absent("gat")


@operation("multi-get of 100 keys")
def _():
    same(client.set_many(MANY), [])
    found = client.get_many([*MANY, "not-there"])
    same(found, {key: value.encode() for key, value in MANY.items()})


@operation("cas")
def _():
    client.set("cas", "1")
    value, cas = client.gets("cas")
    same(value, b"1")
    same(client.cas("cas", "2", cas), True)
    same(client.cas("cas", "3", cas), False)
    same(client.cas("not-there", "3", cas), None)
    same(client.get("cas"), b"2")


@operation("flags, types")
def _():
    from pymemcache import serde

    typed = Client((HOST, MEMCACHED_PORT), serde=serde.pickle_serde, default_noreply=False)
    same(typed.set("oauth", SIGN_IN), True)
    for value in ("text", "ä", b"bytes", 42, 2**70, True, None, 1.5, ["list", {"of": ("things",)}]):
        same(typed.set("typed", value, flags=None), True)
        same(typed.get("typed"), value)
    client.set("flagged", "1", flags=4294967295)
    same(client.get("flagged"), b"1")
    typed.close()


@operation("all byte values")
def _():
    client.set("bytes", ALL_BYTES)
    same(client.get("bytes"), ALL_BYTES)
    same(by_rest("bytes"), ALL_BYTES)


@operation("900 KB")
def _():
    client.set("large", LARGE)
    same(client.get("large"), LARGE)


@operation("too large")
def _():
    refused(lambda: client.set("large", LARGE + LARGE), Exception)
    client.close()
    same(client.set("oauth", SIGN_IN), True)
    same(client.get("large"), None)


@operation("expiry")
def _():
    client.set("expiring", "1", expire=1)
    client.set("staying", "1", expire=100)
    client.set("absolute", "1", expire=int(time.time()) + 100)
    client.set("past", "1", expire=-1)
    same(client.get("expiring"), b"1")
    same(client.get("past"), None)
    time.sleep(2.1)
    same(client.get("expiring"), None)
    same(client.get("touched"), None)
    same(client.get("staying"), b"1")
    same(client.get("absolute"), b"1")


@operation("noreply")
def _():
    same(client.set("quiet", "1", noreply=True), True)
    client.incr("quiet", 4, noreply=True)
    same(client.get("quiet"), b"5")
    client.delete("quiet", noreply=True)
    same(client.get("quiet"), None)


@operation("sign-in by noreply")
def _():
    silent = Client((HOST, MEMCACHED_PORT), default_noreply=True)
    silent.set("oauth", SIGN_IN)
    silent.set("silent", "1")
    same(silent.get("silent"), b"1")
    silent.close()


@operation("stats, version")
def _():
    stats = client.stats()
    assert stats[b"curr_items"] > 0 and stats[b"version"], stats
    assert client.version()


@operation("flush")
def _():
    client.set("flushed", "1")
    same(client.flush_all(), True)
    same(client.get("flushed"), None)


@operation("reconnect")
def _():
    client.close()
    refused(lambda: client.get("key"), MemcacheClientError)
    same(client.set("oauth", SIGN_IN), True)
    same(client.set("key", "again"), True)
    same(client.get("key"), b"again")


@operation("oauth as a key")
def _():
    same(client.set("oauth", "mine"), True)
    same(client.get("oauth"), b"mine")
    same(client.delete("oauth"), True)


@operation("illegal keys")
def _():
    refused(lambda: client.set("a" * 251, "1"), MemcacheIllegalInputError)
    same(client.set("a" * 250, "1"), True)
    same(client.get("a" * 250), b"1")


@operation("pool, bound listener")
def _():
    from concurrent.futures import ThreadPoolExecutor

    pool = PooledClient((HOST, BOUND_PORT), max_pool_size=8, default_noreply=False)
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda i: pool.set("pooled-%d" % i, str(i)), range(200)))
        found = list(executor.map(lambda i: pool.get("pooled-%d" % i), range(200)))
    same(found, [str(i).encode() for i in range(200)])
    same(client.get("pooled-7"), b"7")
    pool.close()
