// Puts load on a server that speaks memcached's text protocol, checks every reply, and prints one line
// of JSON. One thread, Linux (epoll), libc only. Settings are words of the form name=value; see `settings`.
// Exit status: 0; 1 it could not run; 2 a reply was wrong.
//
// Keys are "key-" and eight digits. Value and flags follow from the key (wire.mjs says how), so what every
// reply must be is known byte for byte, whoever stored the items.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEMPLATES = 61, DIGITS = 8, HEADER_MAX = 96, INPUT_BYTES = 65536, STEPS = 128, BUCKETS = 64 * STEPS };

struct number {
  const char *name;
  double value;
};

enum { PORT, CONNECTIONS, DEPTH, KEYS, VALUE, GETS, SETS, META, MULTI, RATE, SECONDS, WARMUP, PRELOAD, PID };
static struct number settings[] = {
    [PORT] = {"port", 11211},   [CONNECTIONS] = {"connections", 50},
    [DEPTH] = {"depth", 1},     // requests in flight per connection
    [KEYS] = {"keys", 100000},  [VALUE] = {"value", 100},  // bytes
    [GETS] = {"gets", 9},       [SETS] = {"sets", 1},      // parts of the mix
    [META] = {"meta", 0},       // 1: mg and ms
    [MULTI] = {"multi", 1},     // keys per get
    [RATE] = {"rate", 0},       // requests a second; 0: as fast as replies come
    [SECONDS] = {"seconds", 3}, [WARMUP] = {"warmup", 0.3},
    [PRELOAD] = {"preload", 0}, // 1: store all keys first
    [PID] = {"pid", 0},         // the server's process, to measure it
};
static const char *auth;  // the value that signs in, as an item named "oauth"
static unsigned depth, keys, multi;
static size_t valueBytes;
static bool meta;

struct request {
  uint64_t since;  // when it was sent or, at a fixed rate, fell due
  bool isSet;
};

struct client {
  int fd;
  bool waitsForRoom;
  struct request *requests;  // a ring of `depth`
  uint32_t *asked;           // the keys of each: `multi` per place
  unsigned oldest, waiting;
  unsigned answered;  // keys of the oldest request that are done with
  char *input, *output;
  size_t inputLength, outputLength, outputSent;
};

static struct client *clients;
static int poller;
static char *templates[TEMPLATES];
static enum { PRELOADING, LOADING, DRAINING } phase;
static uint32_t preloadSent, preloadDone;
static uint64_t rateStart, rateSent;

static uint64_t requestsDone, keysDone, missing, longest, buckets[BUCKETS];

static void die(int status, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(status);
}

static void wrong(const char *what, const char *reply, size_t length) {
  fprintf(stderr, "wrong reply to a %s: ", what);
  for (size_t i = 0; i < length && i < 100; i++) fputc(reply[i] >= ' ' && reply[i] <= '~' ? reply[i] : '.', stderr);
  die(2, "");
}

static uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t randomBelow(uint32_t limit) {
  static uint64_t state = 88172645463325252u;  // splitmix64
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)(((z >> 32) * limit) >> 32);
}

static void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (!memory) die(1, "no memory");
  return memory;
}

// --- keys, values, requests ---

static void makeTemplates(void) {
  for (uint32_t t = 0; t < TEMPLATES; t++) {
    templates[t] = allocate(valueBytes + 1);
    uint32_t state = (t + 1) * 2654435761u;
    for (size_t i = 0; i < valueBytes; i++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      templates[t][i] = (char)(state >> 24);
    }
  }
}

static char *putDigits(char *at, uint32_t key) {
  for (int i = DIGITS - 1; i >= 0; i--, key /= 10) at[i] = (char)('0' + key % 10);
  return at + DIGITS;
}

static char *putNumber(char *at, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count > 0) *at++ = digits[--count];
  return at;
}

static char *putText(char *at, const char *text) { return stpcpy(at, text); }

static char *putKey(char *at, uint32_t key) { return putDigits(putText(at, "key-"), key); }

static size_t stampBytes(void) { return valueBytes < DIGITS ? valueBytes : DIGITS; }

static char *putValue(char *at, uint32_t key) {
  char stamp[DIGITS];
  putDigits(stamp, key);
  memcpy(at, templates[key % TEMPLATES], valueBytes);
  memcpy(at, stamp, stampBytes());
  return putText(at + valueBytes, "\r\n");
}

static bool isValue(const char *at, uint32_t key) {
  char stamp[DIGITS];
  putDigits(stamp, key);
  size_t stamped = stampBytes();
  return memcmp(at, stamp, stamped) == 0 &&
         memcmp(at + stamped, templates[key % TEMPLATES] + stamped, valueBytes - stamped) == 0 &&
         memcmp(at + valueBytes, "\r\n", 2) == 0;
}

static char *putSet(char *at, uint32_t key) {
  at = putKey(putText(at, meta ? "ms " : "set "), key);
  if (meta) {
    at = putNumber(putText(at, " "), valueBytes);
    at = putNumber(putText(at, " F"), key);
  } else {
    at = putNumber(putText(at, " "), key);
    at = putNumber(putText(at, " 0 "), valueBytes);
  }
  return putValue(putText(at, "\r\n"), key);
}

static char *putGet(char *at, const uint32_t *asked) {
  if (meta) return putText(putKey(putText(at, "mg "), asked[0]), " f k v\r\n");
  at = putText(at, "get");
  for (unsigned i = 0; i < multi; i++) at = putKey(putText(at, " "), asked[i]);
  return putText(at, "\r\n");
}

static size_t requestBytesMax(void) {
  size_t get = 32 + (size_t)multi * (DIGITS + 5);
  return get > valueBytes + HEADER_MAX ? get : valueBytes + HEADER_MAX;
}

static void addRequest(struct client *c, uint64_t since) {
  if (c->outputSent > 0) {
    c->outputLength -= c->outputSent;
    memmove(c->output, c->output + c->outputSent, c->outputLength);
    c->outputSent = 0;
  }
  unsigned place = (c->oldest + c->waiting++) % depth;
  uint32_t *asked = c->asked + (size_t)place * multi;
  unsigned gets = (unsigned)settings[GETS].value, sets = (unsigned)settings[SETS].value;
  bool isSet = phase == PRELOADING || randomBelow(gets + sets) >= gets;
  c->requests[place] = (struct request){since, isSet};
  for (unsigned i = 0; i < (isSet ? 1 : multi); i++) asked[i] = phase == PRELOADING ? preloadSent++ : randomBelow(keys);
  char *end = c->output + c->outputLength;
  end = isSet ? putSet(end, asked[0]) : putGet(end, asked);
  c->outputLength = (size_t)(end - c->output);
}

static void watch(struct client *c, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (c->waitsForRoom ? EPOLLOUT : 0), .data.ptr = c};
  if (epoll_ctl(poller, operation, c->fd, &event)) die(1, "epoll: %s", strerror(errno));
}

static void flush(struct client *c) {
  while (c->outputSent < c->outputLength) {
    ssize_t sent = send(c->fd, c->output + c->outputSent, c->outputLength - c->outputSent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) die(1, "cannot send: %s", strerror(errno));
    c->outputSent += (size_t)sent;
  }
  bool isLeft = c->outputSent < c->outputLength;
  if (!isLeft) c->outputLength = c->outputSent = 0;
  if (isLeft == c->waitsForRoom) return;
  c->waitsForRoom = isLeft;
  watch(c, EPOLL_CTL_MOD);
}

// --- replies ---

static unsigned bucketOf(uint64_t ns) {
  unsigned shift = ns < 2 * STEPS ? 0 : 56 - (unsigned)__builtin_clzll(ns);
  return shift * STEPS + (unsigned)(ns >> shift);
}

static double microsecondsOf(unsigned bucket) {
  unsigned shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
  return ((double)(bucket - shift * STEPS) + 0.5) * (double)(1ull << shift) / 1e3;
}

static double percentile(double share) {
  uint64_t seen = 0;
  for (unsigned b = 0; b < BUCKETS; b++)
    if ((seen += buckets[b]) > 0 && (double)seen >= share * (double)requestsDone) return microsecondsOf(b);
  return 0;
}

static void finish(struct client *c, uint64_t now, unsigned keysOfIt) {
  uint64_t since = c->requests[c->oldest].since;
  uint64_t took = now > since ? now - since : 0;
  buckets[bucketOf(took)]++;
  if (took > longest) longest = took;
  requestsDone++;
  keysDone += keysOfIt;
  if (phase == PRELOADING) preloadDone++;
  c->oldest = (c->oldest + 1) % depth;
  c->waiting--;
  c->answered = 0;
}

static bool begins(const char *reply, size_t length, const char *word, size_t wordLength) {
  return memcmp(reply, word, length < wordLength ? length : wordLength) == 0;
}

// These look at the start of a client's input and say how many bytes they took; 0: more are needed.
static size_t checkWord(struct client *c, const char *reply, size_t length, const char *word, uint64_t now) {
  size_t wordLength = strlen(word);
  if (!begins(reply, length, word, wordLength)) wrong("set", reply, length);
  if (length < wordLength) return 0;
  finish(c, now, 1);
  return wordLength;
}

static size_t headerOf(char *header, uint32_t key) {
  char *end;
  if (meta) {
    end = putNumber(putText(header, "VA "), valueBytes);
    end = putNumber(putText(end, " f"), key);
    end = putKey(putText(end, " k"), key);
  } else {
    end = putKey(putText(header, "VALUE "), key);
    end = putNumber(putText(end, " "), key);
    end = putNumber(putText(end, " "), valueBytes);
  }
  return (size_t)(putText(end, "\r\n") - header);
}

static size_t checkGet(struct client *c, const char *reply, size_t length, uint64_t now) {
  const uint32_t *asked = c->asked + (size_t)c->oldest * multi;
  const char *last = meta ? "EN\r\n" : "END\r\n";
  size_t lastLength = meta ? 4 : 5;
  if (begins(reply, length, last, lastLength)) {
    if (length < lastLength) return 0;
    missing += multi - c->answered;
    finish(c, now, multi);
    return lastLength;
  }
  for (; c->answered < multi; c->answered++, missing++) {
    char header[HEADER_MAX];
    size_t headerLength = headerOf(header, asked[c->answered]);
    if (!begins(reply, length, header, headerLength)) continue;
    size_t needed = headerLength + valueBytes + 2;
    if (length < needed) return 0;
    if (!isValue(reply + headerLength, asked[c->answered])) wrong("get (its value)", reply, length);
    c->answered++;
    if (meta) finish(c, now, 1);
    return needed;
  }
  wrong("get", reply, length);
  return 0;
}

static void refill(struct client *c, uint64_t now) {
  if (phase == DRAINING || (phase == LOADING && settings[RATE].value > 0)) return;
  while (c->waiting < depth && (phase == LOADING || preloadSent < keys)) addRequest(c, now);
  flush(c);
}

static void receive(struct client *c) {
  ssize_t got = recv(c->fd, c->input + c->inputLength, INPUT_BYTES + valueBytes - c->inputLength, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) die(1, "the server closed a connection");
  c->inputLength += (size_t)got;
  uint64_t now = nanoseconds();
  size_t position = 0;
  while (c->waiting > 0 && position < c->inputLength) {
    const char *reply = c->input + position;
    size_t length = c->inputLength - position;
    bool isSet = c->requests[c->oldest].isSet;
    size_t taken =
        isSet ? checkWord(c, reply, length, meta ? "HD\r\n" : "STORED\r\n", now) : checkGet(c, reply, length, now);
    if (taken == 0) break;
    position += taken;
  }
  c->inputLength -= position;
  if (c->waiting == 0 && c->inputLength > 0) wrong("request that was not made", c->input + position, c->inputLength);
  memmove(c->input, c->input + position, c->inputLength);
  refill(c, now);
}

// --- connections and the run ---

static void signIn(int fd) {
  char text[2048];
  int length = snprintf(text, sizeof text, "set oauth 0 0 %zu\r\n%s\r\n", strlen(auth), auth);
  if (length >= (int)sizeof text || send(fd, text, (size_t)length, 0) != length) die(1, "cannot send the sign-in");
  ssize_t got = recv(fd, text, 8, MSG_WAITALL);
  if (got != 8 || memcmp(text, "STORED\r\n", 8)) wrong("sign-in", text, got > 0 ? (size_t)got : 0);
}

static void openClient(struct client *c) {
  int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings[PORT].value)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die(1, "cannot connect: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (auth) signIn(c->fd);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->requests = allocate(depth * sizeof *c->requests);
  c->asked = allocate((size_t)depth * multi * sizeof *c->asked);
  c->input = allocate(INPUT_BYTES + valueBytes);
  c->output = allocate(depth * requestBytesMax());
  watch(c, EPOLL_CTL_ADD);
}

static unsigned connectionCount(void) { return (unsigned)settings[CONNECTIONS].value; }

static uint64_t dueBy(uint64_t now) { return (uint64_t)((double)(now - rateStart) / 1e9 * settings[RATE].value); }

// Each request that is due goes to the next connection with room; its latency counts from when it was due.
static void sendWhatIsDue(uint64_t now) {
  static unsigned next;
  for (uint64_t due = dueBy(now); rateSent < due; rateSent++) {
    unsigned looked = 0;
    while (clients[next].waiting >= depth && looked++ < connectionCount()) next = (next + 1) % connectionCount();
    if (clients[next].waiting >= depth) return;
    addRequest(&clients[next], rateStart + (uint64_t)((double)(rateSent + 1) * 1e9 / settings[RATE].value));
    flush(&clients[next]);
    next = (next + 1) % connectionCount();
  }
}

static bool isOver(uint64_t until, uint64_t now) {
  if (phase == PRELOADING) return preloadDone == keys;
  if (now >= until) return true;
  if (phase == LOADING) return false;
  for (unsigned i = 0; i < connectionCount(); i++)
    if (clients[i].waiting > 0) return false;
  return true;
}

static void runUntil(uint64_t until) {
  struct epoll_event events[64];
  bool atRate = phase == LOADING && settings[RATE].value > 0;
  for (unsigned i = 0; i < connectionCount(); i++) refill(&clients[i], nanoseconds());
  for (uint64_t now; !isOver(until, now = nanoseconds());) {
    if (atRate) sendWhatIsDue(now);
    int count = epoll_wait(poller, events, 64, atRate ? 0 : 20);
    for (int i = 0; i < count; i++) {
      struct client *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush(c);
      if (events[i].events & ~(uint32_t)EPOLLOUT) receive(c);
    }
  }
}

// From /proc/PID/stat: user and system time are its 14th and 15th fields; the 2nd may hold spaces.
static double serverCpuSeconds(void) {
  char path[64], text[1024];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)settings[PID].value);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  char *afterName = strrchr(text, ')');
  if (afterName) sscanf(afterName + 1, "%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%lu%lu", &user, &system);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double serverResidentBytes(void) {
  char path[64];
  long pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", (int)settings[PID].value);
  FILE *file = fopen(path, "r");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void readSettings(int count, char **words) {
  for (int i = 1; i < count; i++) {
    char *equals = strchr(words[i], '=');
    if (!equals) die(1, "%s: expected name=value", words[i]);
    *equals = 0;
    bool known = strcmp(words[i], "auth") == 0;
    if (known) auth = equals + 1;
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
      if (strcmp(words[i], settings[s].name)) continue;
      settings[s].value = atof(equals + 1);
      known = true;
    }
    if (!known) die(1, "%s: no such setting", words[i]);
  }
  depth = (unsigned)settings[DEPTH].value;
  keys = (unsigned)settings[KEYS].value;
  multi = (unsigned)settings[MULTI].value;
  valueBytes = (size_t)settings[VALUE].value;
  meta = settings[META].value > 0;
  if (!depth || !keys || !multi || (meta && multi > 1) || !connectionCount()) die(1, "these settings make no load");
}

static void forgetCounts(void) {
  requestsDone = keysDone = missing = longest = 0;
  memset(buckets, 0, sizeof buckets);
}

int main(int count, char **words) {
  readSettings(count, words);
  makeTemplates();
  poller = epoll_create1(0);
  clients = allocate(connectionCount() * sizeof *clients);
  for (unsigned i = 0; i < connectionCount(); i++) openClient(&clients[i]);
  if (settings[PRELOAD].value > 0) runUntil(0);
  phase = LOADING;
  rateStart = nanoseconds();
  runUntil(rateStart + (uint64_t)(settings[WARMUP].value * 1e9));
  forgetCounts();
  double serverCpu = serverCpuSeconds();
  clock_t ownCpu = clock();
  uint64_t start = nanoseconds();
  runUntil(start + (uint64_t)(settings[SECONDS].value * 1e9));
  uint64_t end = nanoseconds();
  double seconds = (double)(end - start) / 1e9;
  serverCpu = serverCpuSeconds() - serverCpu;
  ownCpu = clock() - ownCpu;
  printf("{\"requests\":%llu,\"seconds\":%.4f,\"requestsPerSecond\":%.1f,\"keysPerSecond\":%.1f,\"missing\":%llu,"
         "\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"unsent\":%llu,"
         "\"serverCpuSeconds\":%.2f,\"generatorCpuSeconds\":%.2f,\"residentBytes\":%.0f}\n",
         (unsigned long long)requestsDone, seconds, (double)requestsDone / seconds, (double)keysDone / seconds,
         (unsigned long long)missing, percentile(.5), percentile(.9), percentile(.99), percentile(.999),
         (double)longest / 1e3,
         (unsigned long long)(settings[RATE].value > 0 && dueBy(end) > rateSent ? dueBy(end) - rateSent : 0), serverCpu,
         (double)ownCpu / CLOCKS_PER_SEC, serverResidentBytes());
  phase = DRAINING;
  runUntil(nanoseconds() + 3000000000u);
  return 0;
}
