"""What the Python clients' programs share: where the service is, and the lines that run.mjs reads."""

import os
import sys
import urllib.parse
import urllib.request

HOST = os.environ["CLIENT_HOST"]
MEMCACHED_PORT = int(os.environ["CLIENT_MEMCACHED_PORT"])
BOUND_PORT = int(os.environ["CLIENT_BOUND_PORT"])
HTTP_PORT = int(os.environ["CLIENT_HTTP_PORT"])
PROJECT = os.environ["CLIENT_PROJECT"]
TOKEN = os.environ["CLIENT_TOKEN"]
CACHE = os.environ["CLIENT_CACHE"]

SIGN_IN = "%s %s %s" % (TOKEN, PROJECT, CACHE)
WRONG_SIGN_IN = "wrong-token %s %s" % (PROJECT, CACHE)

ALL_BYTES = bytes(range(256))
LARGE = (ALL_BYTES * 3600)[: 900 * 1024]
MANY = {"many-%d" % i: "value %d" % i for i in range(100)}


def say(*words):
    print("\t".join(" ".join(str(word).split()) for word in words), flush=True)


def operation(name):
    """Runs the function that it decorates, at once, and says how that went."""

    def run(function):
        try:
            function()
            say("passed", name)
        except Exception as error:  # whatever a client may throw is an answer here
            say("failed", name, "%s: %s" % (type(error).__name__, str(error)[:300]))
        return function

    return run


def absent(name, reason=""):
    say("absent", name, reason)


def missing(reason):
    say("missing", reason)
    sys.exit(0)


def same(found, expected):
    if found != expected or type(found) is not type(expected):
        raise AssertionError("%s instead of %s" % (repr(found)[:80], repr(expected)[:80]))


def refused(function, *errors):
    """The function must raise one of these errors."""
    try:
        result = function()
    except errors:
        return
    raise AssertionError("%r instead of an error" % (result,))


def by_rest(key):
    """The item's bytes, as the other door has them."""
    path = "/1/projects/%s/caches/%s/items/%s" % (PROJECT, urllib.parse.quote(CACHE), urllib.parse.quote(key))
    request = urllib.request.Request(
        "http://%s:%d%s" % (HOST, HTTP_PORT, path),
        headers={"Authorization": "OAuth " + TOKEN, "Accept": "application/octet-stream"},
    )
    with urllib.request.urlopen(request) as response:
        return response.read()
