import time

from checks import *

try:
    import pylibmc
except ImportError as error:
    missing(error)

say("version", "%s, libmemcached %s" % (pylibmc.__version__, pylibmc.libmemcached_version))


def connect(port=MEMCACHED_PORT, **behaviors):
    return pylibmc.Client(["%s:%d" % (HOST, port)], binary=False, behaviors={"cas": True, **behaviors})


client = connect()


@operation("wrong token")
def _():
    refused(lambda: client.set("oauth", WRONG_SIGN_IN), pylibmc.Error)
    refused(lambda: client.set("key", "1"), pylibmc.Error)
    # This client answers the error to a get by None.
    same(client.get("key"), None)


@operation("sign-in")
def _():
    same(client.set("oauth", SIGN_IN), True)


@operation("set, get")
def _():
    same(client.set("key", "value"), True)
    same(client.get("key"), "value")
    same(client.get("not-there"), None)
    same(client.set("empty", ""), True)
    same(client.get("empty"), "")


@operation("seen by REST")
def _():
    same(by_rest("key"), b"value")


@operation("add, replace")
def _():
    same(client.add("added", "1"), True)
    same(client.add("added", "2"), False)
    same(client.replace("added", "3"), True)
    same(client.replace("not-there", "4"), False)
    same(client.get("added"), "3")


@operation("append, prepend")
def _():
    same(client.append("key", ">"), True)
    same(client.prepend("key", "<"), True)
    same(client.get("key"), "<value>")


@operation("delete")
def _():
    same(client.delete("key"), True)
    same(client.delete("key"), False)


@operation("incr, decr")
def _():
    client.set("number", 10)
    same(client.incr("number"), 11)
    same(client.decr("number", 20), 0)
    refused(lambda: client.incr("not-there"), pylibmc.NotFound)
    client.set("text", "text")
    refused(lambda: client.incr("text"), pylibmc.Error)


@operation("incr_multi")
def _():
    client.set_multi({"a": 1, "b": 2})
    client.incr_multi(["a", "b"], delta=5)
    same(client.get_multi(["a", "b"]), {"a": 6, "b": 7})


@operation("touch")
def _():
    client.set("touched", "1", time=100)
    same(client.touch("touched", 1), True)
    same(client.touch("not-there", 1), False)


absent("gat")


@operation("multi-get of 100 keys")
def _():
    same(client.set_multi(MANY), [])
    same(client.get_multi([*MANY, "not-there"]), MANY)
    same(client.delete_multi(list(MANY)), True)
    same(client.get_multi(list(MANY)), {})


@operation("cas")
def _():
    client.set("cas", "1")
    value, cas = client.gets("cas")
    same(value, "1")
    same(client.cas("cas", "2", cas), True)
    same(client.cas("cas", "3", cas), False)
    same(client.get("cas"), "2")


@operation("flags, types")
def _():
    # This client reads True back as 1, also from memcached itself.
    for value in ("text", "ä", b"bytes", 42, 2**70, None, 1.5, ["list", {"of": ("things",)}]):
        same(client.set("typed", value), True)
        same(client.get("typed"), value)
    same(client.set("zipped", "x" * 5000, min_compress_len=100), True)
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


@operation("too large")
def _():
    refused(lambda: client.set("too-large", LARGE + LARGE), pylibmc.Error)
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


@operation("stats, version")
def _():
    [[_, stats]] = client.get_stats()
    text = {str(key): str(value) for key, value in stats.items()}
    assert any("curr_items" in key for key in text), text
    assert client.get_stats("settings")


@operation("flush")
def _():
    client.set("flushed", "1")
    same(client.flush_all(), True)
    same(client.get("flushed"), None)


@operation("reconnect")
def _():
    client.disconnect_all()
    refused(lambda: client.set("key", "1"), pylibmc.Error)
    same(client.set("oauth", SIGN_IN), True)
    same(client.set("key", "again"), True)
    same(client.get("key"), "again")


@operation("noreply, buffered")
def _():
    fast = connect(BOUND_PORT, no_block=True, tcp_nodelay=True)
    for i in range(200):
        fast.set("fast-%d" % i, str(i))
    same(fast.get_multi(["fast-%d" % i for i in range(200)]), {"fast-%d" % i: str(i) for i in range(200)})


@operation("pool, bound listener")
def _():
    from concurrent.futures import ThreadPoolExecutor

    pool = pylibmc.ThreadMappedPool(connect(BOUND_PORT))

    def both(i):
        with pool.reserve() as reserved:
            reserved.set("pooled-%d" % i, i)
            return reserved.get("pooled-%d" % i)

    with ThreadPoolExecutor(8) as executor:
        same(list(executor.map(both, range(200))), list(range(200)))
    same(client.get("pooled-7"), 7)
