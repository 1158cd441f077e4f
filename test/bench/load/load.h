// Puts load on a server, checks every reply, and prints one line of JSON. One thread, Linux (epoll), libc only.
// load.c drives the connections, and says what the settings are; memcached.c and http.c know the protocols.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORT, CONNECTIONS, DEPTH, KEYS, VALUE, GETS, SETS, META, MULTI, EXPTIME, INCR, PER_CONNECTION, RATE, SECONDS, WARMUP, PRELOAD };
enum { ACCOUNTS, PIDS, GET_REQUEST, GET_REPLY, SET_REQUEST, SET_REPLY };

double number(int setting);
/** Null where it is not given. */
const char *text(int setting);

/** Whose items a connection is about: a line of the accounts file, "TOKEN PROJECT CACHE". */
struct account {
  char *line, *token, *project;
};

struct request {
  uint64_t since;  // when it was sent or, at a fixed rate, fell due
  bool isSet;
};

struct client {
  int fd;
  bool waitsForRoom;
  const struct account *account;  // null: none is needed
  struct request *requests;       // a ring of `depth`
  uint32_t *asked;                // the keys of each: `multi` per place
  unsigned oldest, waiting;
  unsigned answered;              // keys of the oldest request that are done with
  unsigned served;                // requests that were answered on this connection
  bool isSigningIn;
  uint32_t storeNext, storeEnd;   // of the keys that it stores at first
  char *input, *output;
  size_t inputLength, outputLength, outputSent;
};

/** What the oldest request of a client asked for. */
const uint32_t *askedKeys(const struct client *c);

/** The oldest request of a client is answered. */
void finish(struct client *c, unsigned keys, uint64_t now);

/** Keys were asked for that are not there. */
void miss(unsigned keys);

struct protocol {
  /** Adds what signs a client in, where it has an account and the protocol knows of that. */
  char *(*putSignIn)(char *at, struct client *c);
  /** As takeReply, of the answer to that. */
  size_t (*takeSignIn)(struct client *c, const char *reply, size_t length);
  char *(*putRequest)(char *at, const struct client *c, bool isSet, const uint32_t *keys);
  size_t (*requestBytesMax)(void);
  /** Looks at the start of a client's input, and says how many bytes it took; 0: more are needed. */
  size_t (*takeReply)(struct client *c, const char *reply, size_t length, uint64_t now);
};

extern const struct protocol memcached, http;

_Noreturn void die(int status, const char *format, ...);
_Noreturn void wrong(const char *what, const char *reply, size_t length);
void *allocate(size_t bytes);
bool begins(const char *reply, size_t length, const char *word, size_t wordLength);

// --- items.c ---

enum { DIGITS = 8, KEY_BYTES = 4 + DIGITS };

void makeValues(size_t bytes, bool printable);
size_t valueBytes(void);
char *putText(char *at, const char *text);
char *putNumber(char *at, uint64_t number);
char *putKey(char *at, uint32_t key);
char *putValue(char *at, uint32_t key);
bool isValue(const char *at, uint32_t key);
struct account *readAccounts(const char *file, size_t *count);

// --- latencies.c ---

void countLatency(uint64_t ns);
void forgetLatencies(void);
double percentile(double share);
double shareLaterThan(double microseconds);
double longestMicroseconds(void);

// --- processes.c ---

double cpuSecondsOf(const char *pids);
double residentBytesOf(const char *pids);

#endif
