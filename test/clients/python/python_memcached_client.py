import time

from checks import *

try:
    import memcache
except ImportError as error:
    missing(error)

say("version", memcache.__version__)


def connect(port=MEMCACHED_PORT):
    return memcache.Client(["%s:%d" % (HOST, port)], cache_cas=True, dead_retry=0)


client = connect()


@operation("wrong token")
def _():
    # This client answers every error by False, 0 or None.
    same(bool(client.set("oauth", WRONG_SIGN_IN)), False)
    same(client.get("key"), None)
    same(bool(client.set("key", "1")), False)


@operation("sign-in")
def _():
    same(bool(client.set("oauth", SIGN_IN)), True)


@operation("set, get")
def _():
    same(bool(client.set("key", "value")), True)
    same(client.get("key"), "value")
    same(client.get("not-there"), None)
    same(bool(client.set("empty", "")), True)
    same(client.get("empty"), "")


@operation("seen by REST")
def _():
    same(by_rest("key"), b"value")


@operation("add, replace")
def _():
    same(bool(client.add("added", "1")), True)
    same(bool(client.add("added", "2")), False)
    same(bool(client.replace("added", "3")), True)
    same(bool(client.replace("not-there", "4")), False)
    same(client.get("added"), "3")


@operation("append, prepend")
def _():
    same(bool(client.append("key", ">")), True)
    same(bool(client.prepend("key", "<")), True)
    same(client.get("key"), "<value>")
    same(bool(client.append("not-there", ">")), False)


@operation("delete")
def _():
    same(bool(client.delete("key")), True)
    same(client.get("key"), None)


@operation("incr, decr")
def _():
    client.set("number", "10")
    same(client.incr("number"), 11)
    same(client.decr("number", 20), 0)
    same(client.incr("not-there"), None)


@operation("touch")
def _():
    client.set("touched", "1", time=100)
    same(bool(client.touch("touched", 1)), True)
    same(bool(client.touch("not-there", 1)), False)


absent("gat")


@operation("multi-get of 100 keys")
def _():
    same(client.set_multi(MANY), [])
    same(client.get_multi([*MANY, "not-there"]), MANY)
    same(bool(client.delete_multi(list(MANY))), True)
    same(client.get_multi(list(MANY)), {})


@operation("cas")
def _():
    client.set("cas", "1")
    other = connect()
    same(bool(other.set("oauth", SIGN_IN)), True)
    same(client.gets("cas"), "1")
    same(bool(client.cas("cas", "2")), True)
    same(other.gets("cas"), "2")
    client.set("cas", "3")
    same(bool(other.cas("cas", "4")), False)
    same(client.get("cas"), "3")
    other.disconnect_all()


@operation("flags, types")
def _():
    for value in ("text", "ä", b"bytes", 42, 2**70, True, None, 1.5, ["list", {"of": ("things",)}]):
        same(bool(client.set("typed", value)), True)
        same(client.get("typed"), value)
    same(bool(client.set("zipped", "x" * 5000, min_compress_len=100)), True)
    same(client.get("zipped"), "x" * 5000)


@operation("all byte values")
def _():
    client.set("bytes", ALL_BYTES)
    same(client.get("bytes"), ALL_BYTES)
    same(by_rest("bytes"), ALL_BYTES)


@operation("900 KB")
def _():
    client.set("large", LARGE)
    same(client.get("large"), LARGE)


@operation("expiry")
def _():
    client.set("expiring", "1", time=1)
    client.set("staying", "1", time=100)
    same(client.get("expiring"), "1")
    time.sleep(2.1)
    same(client.get("expiring"), None)
    same(client.get("touched"), None)
    same(client.get("staying"), "1")


@operation("noreply")
def _():
    client.set("quiet", "1", noreply=True)
    client.incr("quiet", 4, noreply=True)
    same(client.get("quiet"), "5")
    client.delete("quiet", noreply=True)
    same(client.get("quiet"), None)


@operation("stats, version")
def _():
    [[_, stats]] = client.get_stats()
    assert int(stats["curr_items"]) > 0 and stats["version"], stats
    assert client.get_stats("settings")


@operation("flush")
def _():
    client.set("flushed", "1")
    client.flush_all()
    same(client.get("flushed"), None)


@operation("reconnect")
def _():
    client.disconnect_all()
    same(client.get("key"), None)
    same(bool(client.set("oauth", SIGN_IN)), True)
    same(bool(client.set("key", "again")), True)
    same(client.get("key"), "again")


@operation("threads, bound listener")
def _():
    # A connection per thread: none of them could sign in unseen.
    from concurrent.futures import ThreadPoolExecutor

    shared = connect(BOUND_PORT)
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda i: shared.set("pooled-%d" % i, i), range(200)))
        found = list(executor.map(lambda i: shared.get("pooled-%d" % i), range(200)))
    same(found, list(range(200)))
    same(client.get("pooled-7"), 7)
