// memcached's text protocol, classic or meta. An item's flags are the number of its key.
#include <stdio.h>
#include <string.h>

#include "load.h"

enum { HEADER_MAX = 96 };

// All numbers that are counted up are as long, from the first to the last of a run.
static const char FIRST_NUMBER[] = "1000000000";
enum { NUMBER_DIGITS = sizeof FIRST_NUMBER - 1 };

static bool isMeta(void) { return number(META) > 0; }
static bool isCounting(void) { return number(INCR) > 0; }
static unsigned keysPerGet(void) { return (unsigned)number(MULTI); }

static char *putSignIn(char *at, struct client *c) {
  if (!c->account) return at;
  c->isSigningIn = true;
  at = putText(putNumber(putText(at, "set oauth 0 0 "), strlen(c->account->line)), "\r\n");
  return putText(putText(at, c->account->line), "\r\n");
}

static size_t takeStored(const char *what, const char *reply, size_t length, const char *stored) {
  size_t needed = strlen(stored);
  if (!begins(reply, length, stored, needed)) wrong(what, reply, length);
  return length < needed ? 0 : needed;
}

static size_t takeSignIn(struct client *c, const char *reply, size_t length) {
  size_t taken = takeStored("sign-in", reply, length, "STORED\r\n");
  if (taken > 0) c->isSigningIn = false;
  return taken;
}

static char *putNumberItem(char *at, uint32_t key) {
  at = putNumber(putText(putKey(putText(at, "set "), key), " 0 0 "), NUMBER_DIGITS);
  return putText(putText(putText(at, "\r\n"), FIRST_NUMBER), "\r\n");
}

static char *putSet(char *at, uint32_t key) {
  if (isCounting()) return putNumberItem(at, key);
  uint64_t exptime = (uint64_t)number(EXPTIME);
  at = putKey(putText(at, isMeta() ? "ms " : "set "), key);
  if (isMeta()) {
    at = putNumber(putText(at, " "), valueBytes());
    at = putNumber(putText(at, " F"), key);
    if (exptime > 0) at = putNumber(putText(at, " T"), exptime);
  } else {
    at = putNumber(putText(at, " "), key);
    at = putNumber(putText(at, " "), exptime);
    at = putNumber(putText(at, " "), valueBytes());
  }
  return putText(putValue(putText(at, "\r\n"), key), "\r\n");
}

static char *putGet(char *at, const uint32_t *keys) {
  if (isCounting()) return putText(putKey(putText(at, "incr "), keys[0]), " 1\r\n");
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

static size_t takeSum(struct client *c, const char *reply, size_t length, uint64_t now) {
  size_t needed = NUMBER_DIGITS + 2;
  if (length < needed) return 0;
  size_t digits = strspn(reply, "0123456789");
  bool isSum = digits == NUMBER_DIGITS && memcmp(reply, FIRST_NUMBER, NUMBER_DIGITS) > 0;
  if (!isSum || memcmp(reply + digits, "\r\n", 2)) wrong("incr", reply, length);
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
  if (!c->requests[c->oldest].isSet) return isCounting() ? takeSum(c, reply, length, now) : takeValue(c, reply, length, now);
  size_t taken = takeStored("set", reply, length, isMeta() ? "HD\r\n" : "STORED\r\n");
  if (taken > 0) finish(c, 1, now);
  return taken;
}

const struct protocol memcached = {putSignIn, takeSignIn, putRequest, requestBytesMax, takeReply};
