// HTTP/1.1 with keep-alive. What is sent, and what bodies come back, is given as templates: %k is the key,
// %v the value, %t and %p the connection's token and project, %n (in a reply) any digits.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "load.h"

static const char OK[] = "HTTP/1.1 200 ", HEAD_END[] = "\r\n\r\n", LENGTH[] = "\r\ncontent-length:";

// Each request has its token.
static char *putSignIn(char *at, struct client *c) {
  (void)c;
  return at;
}

static char *putRequest(char *at, const struct client *c, bool isSet, const uint32_t *keys) {
  for (const char *from = text(isSet ? SET_REQUEST : GET_REQUEST); *from; from++) {
    if (*from != '%') *at++ = *from;
    else if (*++from == 'k') at = putKey(at, keys[0]);
    else if (*from == 'v') at = putValue(at, keys[0]);
    else if (*from == 't' && c->account) at = putText(at, c->account->token);
    else if (*from == 'p' && c->account) at = putText(at, c->account->project);
    else die(1, "a request template has an unknown %%%c", *from);
  }
  return at;
}

// Keys, tokens and projects are each shorter than this.
enum { WORD_MAX = 128 };

static size_t roomFor(const char *template) {
  size_t bytes = strlen(template) + valueBytes();
  for (const char *at = template; (at = strchr(at, '%')); at++) bytes += WORD_MAX;
  return bytes;
}

static size_t requestBytesMax(void) {
  size_t get = roomFor(text(GET_REQUEST)), set = roomFor(text(SET_REQUEST));
  return get > set ? get : set;
}

static bool isKey(const char *at, uint32_t key) {
  char expected[KEY_BYTES];
  putKey(expected, key);
  return memcmp(at, expected, KEY_BYTES) == 0;
}

/** How many bytes of a body a placeholder stands for; 0: it does not stand there. */
static size_t placeholderBytes(char placeholder, const char *at, size_t left, uint32_t key) {
  if (placeholder == 'k') return left >= KEY_BYTES && isKey(at, key) ? KEY_BYTES : 0;
  if (placeholder == 'v') return left >= valueBytes() && isValue(at, key) ? valueBytes() : 0;
  return strspn(at, "0123456789");
}

static bool matches(const char *body, size_t length, const char *template, uint32_t key) {
  const char *at = body, *end = body + length;
  for (;;) {
    const char *placeholder = strchrnul(template, '%');
    size_t literal = (size_t)(placeholder - template);
    if ((size_t)(end - at) < literal || memcmp(at, template, literal)) return false;
    at += literal;
    if (!*placeholder) return at == end;
    size_t taken = placeholderBytes(placeholder[1], at, (size_t)(end - at), key);
    if (taken == 0) return false;
    at += taken;
    template = placeholder + 2;
  }
}

static size_t bodyLength(const char *head, size_t length) {
  for (const char *at = head; (at = memchr(at, '\r', length - (size_t)(at - head))); at++)
    if (strncasecmp(at, LENGTH, sizeof LENGTH - 1) == 0) return strtoul(at + sizeof LENGTH - 1, NULL, 10);
  wrong("request (no content-length)", head, length);
}

static size_t takeReply(struct client *c, const char *reply, size_t length, uint64_t now) {
  if (!begins(reply, length, OK, sizeof OK - 1)) wrong("request", reply, length);
  const char *head = memmem(reply, length, HEAD_END, sizeof HEAD_END - 1);
  if (!head) return 0;
  const char *body = head + sizeof HEAD_END - 1;
  size_t bodyBytes = bodyLength(reply, (size_t)(body - reply)), needed = (size_t)(body - reply) + bodyBytes;
  if (length < needed) return 0;
  bool isSet = c->requests[c->oldest].isSet;
  const char *expected = text(isSet ? SET_REPLY : GET_REPLY);
  if (!matches(body, bodyBytes, expected, askedKeys(c)[0])) wrong(isSet ? "PUT" : "GET", body, bodyBytes);
  finish(c, 1, now);
  return needed;
}

const struct protocol http = {putSignIn, NULL, putRequest, requestBytesMax, takeReply};
