import json
import time

from checks import *

try:
    import importlib.metadata

    import requests  # iron_cache relies on urllib.parse, which this one loads
    import iron_cache
except ImportError as error:
    missing(error)

say("version", importlib.metadata.version("iron-cache"))

cache = iron_cache.IronCache(
    name=CACHE, project_id=PROJECT, token=TOKEN, protocol="http", host=HOST, port=HTTP_PORT, api_version=1
)


def put(key, value, **options):
    return cache.put(key, value, options=options)


@operation("put, get")
def _():
    put("key", "value")
    item = cache.get("key")
    same((item.key, item.value), ("key", "value"))
    put("empty", "")
    same(cache.get("empty").value, "")


@operation("types")
def _():
    for value in ("text", "ä ☃ 𝄞", "42", 42, -7, 2**60):
        put("typed", value)
        same(cache.get("typed").value, value)
    put("typed", {"a": [1, None]})
    same(json.loads(cache.get("typed").value), {"a": [1, None]})


@operation("missing key, wrong token")
def _():
    refused(lambda: cache.get("not-there"), requests.HTTPError)
    refused(lambda: cache.delete("not-there"), requests.HTTPError)
    wrong = iron_cache.IronCache(
        name=CACHE, project_id=PROJECT, token="wrong", protocol="http", host=HOST, port=HTTP_PORT
    )
    refused(lambda: wrong.get("key"), requests.HTTPError)


@operation("add, replace")
def _():
    put("added", "1", add=True)
    put("added", "2", add=True)
    same(cache.get("added").value, "1")
    put("added", "3", replace=True)
    same(cache.get("added").value, "3")


@operation("cas")
def _():
    path = "caches/%s/items/cas" % urllib.parse.quote_plus(CACHE)
    put("cas", "1")
    cas = cache.client.get(path)["body"]["cas"]
    put("cas", "2", cas=cas)
    put("cas", "3", cas=cas)
    same(cache.get("cas").value, "2")


@operation("increment")
def _():
    put("number", 10)
    same(cache.increment("number", amount=5).value, 15)
    same(cache.decrement("number", amount=20).value, -5)
    same(cache.increment("new number", amount=3).value, 3)


@operation("900 KB")
def _():
    put("large", "x" * 900 * 1024)
    same(cache.get("large").value, "x" * 900 * 1024)


@operation("expiry")
def _():
    put("expiring", "1", expires_in=1)
    same(cache.get("expiring").value, "1")
    time.sleep(2.1)
    refused(lambda: cache.get("expiring"), requests.HTTPError)


@operation("delete")
def _():
    put("deleted", "1")
    same(cache.delete("deleted"), True)
    refused(lambda: cache.get("deleted"), requests.HTTPError)


@operation("keys with every kind of character")
def _():
    for key in ("a/b", "a b", "a%b", "ä", "a?b=c&d#e", "[a]", "a+b"):
        put(key, "of " + key)
        same(cache.get(key).value, "of " + key)


@operation("list")
def _():
    try:
        names = cache.caches()
    except AttributeError as error:
        # The package calls Python 2's urllib.urlencode here.
        names = [entry["name"] for entry in cache.client.get("caches")["body"]]
    assert names, names
