// memcached's text protocol, classic or meta. An item's flags are the number of its key.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

enum { HEADER_MAX = 96 };

static bool isMeta(void) { return number(META) > 0; }
static unsigned keysPerGet(void) { return (unsigned)number(MULTI); }

static void signIn(struct client *c) {
  if (!c->account) return;
  char request[2048], reply[8];
  int length = snprintf(request, sizeof request, "set oauth 0 0 %zu\r\n%s\r\n", strlen(c->account->line), c->account->line);
  if (length >= (int)sizeof request || send(c->fd, request, (size_t)length, 0) != length) die(1, "cannot send the sign-in");
  ssize_t got = recv(c->fd, reply, sizeof reply, MSG_WAITALL);
  if (got != sizeof reply || memcmp(reply, "STORED\r\n", sizeof reply)) wrong("sign-in", reply, got > 0 ? (size_t)got : 0);
}

static char *putSet(char *at, uint32_t key) {
  at = putKey(putText(at, isMeta() ? "ms " : "set "), key);
  if (isMeta()) {
    at = putNumber(putText(at, " "), valueBytes());
    at = putNumber(putText(at, " F"), key);
  } else {
    at = putNumber(putText(at, " "), key);
    at = putNumber(putText(at, " 0 "), valueBytes());
  }
  return putText(putValue(putText(at, "\r\n"), key), "\r\n");
}

static char *putGet(char *at, const uint32_t *keys) {
  if (isMeta()) return putText(putKey(putText(at, "mg "), keys[0]), " f k v\r\n");
  at = putText(at, "get");
  for (unsigned i = 0; i < keysPerGet(); i++) at = putKey(putText(at, " "), keys[i]);
  return putText(at, "\r\n");
}

static char *putRequest(char *at, const struct client *c, bool isSet, const uint32_t *keys) {
  (void)c;
  return isSet ? putSet(at, keys[0]) : putGet(at, keys);
}

static size_t requestBytesMax(void) {
  size_t get = 32 + (size_t)keysPerGet() * (KEY_BYTES + 1), set = valueBytes() + HEADER_MAX;
  return get > set ? get : set;
}

static size_t takeStored(struct client *c, const char *reply, size_t length, uint64_t now) {
  const char *stored = isMeta() ? "HD\r\n" : "STORED\r\n";
  size_t needed = strlen(stored);
  if (!begins(reply, length, stored, needed)) wrong("set", reply, length);
  if (length < needed) return 0;
  finish(c, 1, now);
  return needed;
}

static size_t headerOf(char *header, uint32_t key) {
  char *end;
  if (isMeta()) {
    end = putNumber(putText(header, "VA "), valueBytes());
    end = putNumber(putText(end, " f"), key);
    end = putKey(putText(end, " k"), key);
  } else {
    end = putKey(putText(header, "VALUE "), key);
    end = putNumber(putText(end, " "), key);
    end = putNumber(putText(end, " "), valueBytes());
  }
  return (size_t)(putText(end, "\r\n") - header);
}

static size_t takeEnd(struct client *c, size_t length, const char *end, uint64_t now) {
  size_t needed = strlen(end);
  if (length < needed) return 0;
  miss(keysPerGet() - c->answered);
  finish(c, keysPerGet(), now);
  return needed;
}

static size_t takeValue(struct client *c, const char *reply, size_t length, uint64_t now) {
  const char *end = isMeta() ? "EN\r\n" : "END\r\n";
  if (begins(reply, length, end, strlen(end))) return takeEnd(c, length, end, now);
  for (; c->answered < keysPerGet(); c->answered++, miss(1)) {
    uint32_t key = askedKeys(c)[c->answered];
    char header[HEADER_MAX];
    size_t headerLength = headerOf(header, key);
    if (!begins(reply, length, header, headerLength)) continue;
    size_t needed = headerLength + valueBytes() + 2;
    if (length < needed) return 0;
    if (!isValue(reply + headerLength, key) || memcmp(reply + needed - 2, "\r\n", 2)) wrong("get (its value)", reply, length);
    c->answered++;
    if (isMeta()) finish(c, 1, now);
    return needed;
  }
  wrong("get", reply, length);
}

static size_t takeReply(struct client *c, const char *reply, size_t length, uint64_t now) {
  return c->requests[c->oldest].isSet ? takeStored(c, reply, length, now) : takeValue(c, reply, length, now);
}

const struct protocol memcached = {signIn, putRequest, requestBytesMax, takeReply};
