// Settings are words of the form name=value. Exit status: 0; 1 it could not run; 2 a reply was wrong.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { INPUT_BYTES = 65536, SIGN_IN_BYTES = 2048, EVENTS = 64, LATE_US = 1000 };

static struct {
  const char *name;
  double value;
} numbers[] = {
    [PORT] = {"port", 11211},   [CONNECTIONS] = {"connections", 50},
    [DEPTH] = {"depth", 1},     // requests in flight per connection
    [KEYS] = {"keys", 100000},  [VALUE] = {"value", 100},  // bytes
    [GETS] = {"gets", 9},       [SETS] = {"sets", 1},      // parts of the mix
    [META] = {"meta", 0},       // 1: mg and ms
    [MULTI] = {"multi", 1},     // keys per get
    [EXPTIME] = {"exptime", 0}, // of what sets store
    [INCR] = {"incr", 0},       // 1: items are numbers, and what gets do is to count them up
    [PER_CONNECTION] = {"perConnection", 0},  // requests after which it is closed, and another opened; 0: never
    [RATE] = {"rate", 0},       // requests a second; 0: as fast as replies come
    [SECONDS] = {"seconds", 3}, [WARMUP] = {"warmup", 0.3},
    [PRELOAD] = {"preload", 0}, // 1: store all keys first; 2: each connection all of them, in a cache of its own
};

static struct {
  const char *name, *value;
} texts[] = {
    [ACCOUNTS] = {"accounts", NULL},  // a file with lines "TOKEN PROJECT CACHE", which connections take in turn
    [PIDS] = {"pids", NULL},          // the server's processes, "1,2", to measure them
    // With these it speaks HTTP; see http.c.
    [GET_REQUEST] = {"getRequest", NULL},
    [GET_REPLY] = {"getReply", NULL},
    [SET_REQUEST] = {"setRequest", NULL},
    [SET_REPLY] = {"setReply", NULL},
};

double number(int setting) { return numbers[setting].value; }
const char *text(int setting) { return texts[setting].value; }

static const struct protocol *protocol;
static unsigned connections, depth, keys, multi, perConnection;
static struct client *clients;
static int poller;
static enum { PRELOADING, LOADING, DRAINING } phase;
static uint64_t rateStart, rateSent;
static uint64_t toStore, requestsDone, keysDone, missing;

void die(int status, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(status);
}

void wrong(const char *what, const char *reply, size_t length) {
  fprintf(stderr, "wrong reply to a %s: ", what);
  for (size_t i = 0; i < length && i < 200; i++) fputc(reply[i] >= ' ' && reply[i] <= '~' ? reply[i] : '.', stderr);
  die(2, "");
}

void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (!memory) die(1, "no memory");
  return memory;
}

bool begins(const char *reply, size_t length, const char *word, size_t wordLength) {
  return memcmp(reply, word, length < wordLength ? length : wordLength) == 0;
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

// --- requests ---

static uint32_t *askedAt(const struct client *c, unsigned place) { return c->asked + (size_t)place * multi; }

const uint32_t *askedKeys(const struct client *c) { return askedAt(c, c->oldest); }

static void makeRoom(struct client *c) {
  if (c->outputSent == 0) return;
  c->outputLength -= c->outputSent;
  memmove(c->output, c->output + c->outputSent, c->outputLength);
  c->outputSent = 0;
}

static void addRequest(struct client *c, uint64_t since) {
  makeRoom(c);
  unsigned place = (c->oldest + c->waiting++) % depth;
  unsigned gets = (unsigned)number(GETS), sets = (unsigned)number(SETS);
  bool isSet = phase == PRELOADING || randomBelow(gets + sets) >= gets;
  c->requests[place] = (struct request){since, isSet};
  uint32_t *asked = askedAt(c, place);
  for (unsigned i = 0; i < (isSet ? 1 : multi); i++) asked[i] = phase == PRELOADING ? c->storeNext++ : randomBelow(keys);
  char *end = protocol->putRequest(c->output + c->outputLength, c, isSet, asked);
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

static bool hasMore(const struct client *c) {
  if (phase == PRELOADING) return c->storeNext < c->storeEnd;
  return !perConnection || c->served + c->waiting < perConnection;
}

static void openConnection(struct client *c) {
  int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(PORT))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die(1, "cannot connect: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->served = 0;
  c->waitsForRoom = false;
  c->outputLength = (size_t)(protocol->putSignIn(c->output, c) - c->output);
  watch(c, EPOLL_CTL_ADD);
}

static void refill(struct client *c, uint64_t now) {
  if (phase == DRAINING || (phase == LOADING && number(RATE) > 0)) return;
  if (phase == LOADING && perConnection && c->served >= perConnection && c->waiting == 0) {
    close(c->fd);
    openConnection(c);
  }
  while (c->waiting < depth && hasMore(c)) addRequest(c, now);
  flush(c);
}

// --- replies ---

void finish(struct client *c, unsigned keysOfIt, uint64_t now) {
  uint64_t since = c->requests[c->oldest].since;
  countLatency(now > since ? now - since : 0);
  requestsDone++;
  keysDone += keysOfIt;
  if (phase == PRELOADING) toStore--;
  c->oldest = (c->oldest + 1) % depth;
  c->waiting--;
  c->served++;
  c->answered = 0;
}

void miss(unsigned count) { missing += count; }

static void receive(struct client *c) {
  ssize_t got = recv(c->fd, c->input + c->inputLength, INPUT_BYTES + valueBytes() - c->inputLength, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) die(1, "the server closed a connection");
  c->inputLength += (size_t)got;
  uint64_t now = nanoseconds();
  size_t position = c->isSigningIn ? protocol->takeSignIn(c, c->input, c->inputLength) : 0, taken = !c->isSigningIn;
  while (taken > 0 && c->waiting > 0 && position < c->inputLength) {
    taken = protocol->takeReply(c, c->input + position, c->inputLength - position, now);
    position += taken;
  }
  c->inputLength -= position;
  if (c->waiting == 0 && c->inputLength > 0) wrong("request that was not made", c->input + position, c->inputLength);
  memmove(c->input, c->input + position, c->inputLength);
  refill(c, now);
}

// --- connections and the run ---

static void shareKeys(struct client *c, unsigned place) {
  bool isOwnCache = number(PRELOAD) == 2;
  c->storeNext = isOwnCache ? 0 : (uint32_t)((uint64_t)place * keys / connections);
  c->storeEnd = isOwnCache ? keys : (uint32_t)((uint64_t)(place + 1) * keys / connections);
  toStore += c->storeEnd - c->storeNext;
}

static void openClient(struct client *c) {
  c->requests = allocate(depth * sizeof *c->requests);
  c->asked = allocate((size_t)depth * multi * sizeof *c->asked);
  c->input = allocate(INPUT_BYTES + valueBytes() + 1);  // it ends in a 0
  c->output = allocate(SIGN_IN_BYTES + depth * protocol->requestBytesMax());
  openConnection(c);
  flush(c);
}

static void openClients(void) {
  size_t accountCount = 0;
  struct account *accounts = text(ACCOUNTS) ? readAccounts(text(ACCOUNTS), &accountCount) : NULL;
  poller = epoll_create1(0);
  clients = allocate(connections * sizeof *clients);
  for (unsigned i = 0; i < connections; i++) {
    if (accounts) clients[i].account = &accounts[i % accountCount];
    if (accounts && strlen(clients[i].account->line) > SIGN_IN_BYTES / 2) die(1, "an account is too long");
    shareKeys(&clients[i], i);
    openClient(&clients[i]);
  }
}

static uint64_t dueBy(uint64_t now) { return (uint64_t)((double)(now - rateStart) / 1e9 * number(RATE)); }

// What is due goes to the next connection with room, with one write: a system call for each request would be more than
// one core can do of the rates of pipelined requests. Latencies count from when a request was due.
static void sendWhatIsDue(uint64_t now) {
  static unsigned next;
  for (uint64_t due = dueBy(now); rateSent < due; next = (next + 1) % connections) {
    unsigned looked = 0;
    while (clients[next].waiting >= depth && looked++ < connections) next = (next + 1) % connections;
    struct client *c = &clients[next];
    if (c->waiting >= depth) return;
    for (; rateSent < due && c->waiting < depth; rateSent++)
      addRequest(c, rateStart + (uint64_t)((double)(rateSent + 1) * 1e9 / number(RATE)));
    flush(c);
  }
}

static bool isOver(uint64_t until, uint64_t now) {
  if (phase == PRELOADING) return toStore == 0;
  if (now >= until) return true;
  if (phase == LOADING) return false;
  for (unsigned i = 0; i < connections; i++)
    if (clients[i].waiting > 0) return false;
  return true;
}

static void runUntil(uint64_t until) {
  struct epoll_event events[EVENTS];
  bool atRate = phase == LOADING && number(RATE) > 0;
  for (unsigned i = 0; i < connections; i++) refill(&clients[i], nanoseconds());
  for (uint64_t now; !isOver(until, now = nanoseconds());) {
    if (atRate) sendWhatIsDue(now);
    int count = epoll_wait(poller, events, EVENTS, atRate ? 0 : 20);
    for (int i = 0; i < count; i++) {
      struct client *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush(c);
      if (events[i].events & ~(uint32_t)EPOLLOUT) receive(c);
    }
  }
}

static void readSetting(char *word) {
  char *equals = strchr(word, '=');
  if (!equals) die(1, "%s: expected name=value", word);
  *equals = 0;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (strcmp(word, numbers[i].name)) continue;
    numbers[i].value = atof(equals + 1);
    return;
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (strcmp(word, texts[i].name)) continue;
    texts[i].value = equals + 1;
    return;
  }
  die(1, "%s: no such setting", word);
}

static void readSettings(int count, char **words) {
  for (int i = 1; i < count; i++) readSetting(words[i]);
  connections = (unsigned)number(CONNECTIONS);
  depth = (unsigned)number(DEPTH);
  keys = (unsigned)number(KEYS);
  multi = (unsigned)number(MULTI);
  perConnection = (unsigned)number(PER_CONNECTION);
  protocol = text(GET_REQUEST) ? &http : &memcached;
  bool oneKeyOnly = protocol == &http || number(META) > 0 || number(INCR) > 0;
  bool never = (oneKeyOnly && multi > 1) || (perConnection && number(RATE) > 0);
  if (!depth || !keys || !multi || !connections || never) die(1, "these settings make no load");
  makeValues((size_t)number(VALUE), protocol == &http);
}

static void run(double seconds) { runUntil(nanoseconds() + (uint64_t)(seconds * 1e9)); }

static void report(double seconds, double serverCpuSeconds, double ownCpuSeconds) {
  uint64_t due = number(RATE) > 0 ? dueBy(nanoseconds()) : 0;
  printf("{\"requests\":%llu,\"seconds\":%.4f,\"requestsPerSecond\":%.1f,\"keysPerSecond\":%.1f,\"missing\":%llu,"
         "\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"late\":%.6f,\"unsent\":%llu,"
         "\"serverCpuSeconds\":%.2f,\"generatorCpuSeconds\":%.2f,\"residentBytes\":%.0f}\n",
         (unsigned long long)requestsDone, seconds, (double)requestsDone / seconds, (double)keysDone / seconds,
         (unsigned long long)missing, percentile(.5), percentile(.9), percentile(.99), percentile(.999),
         longestMicroseconds(), shareLaterThan(LATE_US), (unsigned long long)(due > rateSent ? due - rateSent : 0),
         serverCpuSeconds, ownCpuSeconds, residentBytesOf(text(PIDS)));
}

static void measure(void) {
  requestsDone = keysDone = missing = 0;
  forgetLatencies();
  double serverCpu = cpuSecondsOf(text(PIDS));
  clock_t ownCpu = clock();
  uint64_t start = nanoseconds();
  run(number(SECONDS));
  double seconds = (double)(nanoseconds() - start) / 1e9;
  serverCpu = cpuSecondsOf(text(PIDS)) - serverCpu;
  report(seconds, serverCpu, (double)(clock() - ownCpu) / CLOCKS_PER_SEC);
}

int main(int count, char **words) {
  readSettings(count, words);
  openClients();
  if (number(PRELOAD) > 0) runUntil(0);
  phase = LOADING;
  rateStart = nanoseconds();
  run(number(WARMUP));
  measure();
  phase = DRAINING;
  run(3);
  return 0;
}
