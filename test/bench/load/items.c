// Keys are "key-" and eight digits. The value follows from the key (items.mjs says the same), so what every
// reply must be is known byte for byte, whoever stored the items.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { TEMPLATES = 61 };

static char *templates[TEMPLATES];
static size_t bytesOfValue;

/** A few blocks of pseudo-random bytes (xorshift32), or letters; a value is one of them with the key's digits on it. */
void makeValues(size_t bytes, bool printable) {
  bytesOfValue = bytes;
  for (uint32_t t = 0; t < TEMPLATES; t++) {
    templates[t] = allocate(bytes + 1);
    uint32_t state = (t + 1) * 2654435761u;
    for (size_t i = 0; i < bytes; i++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      uint32_t byte = state >> 24;
      templates[t][i] = (char)(printable ? 'a' + byte % 26 : byte);
    }
  }
}

size_t valueBytes(void) { return bytesOfValue; }

char *putText(char *at, const char *text) { return stpcpy(at, text); }

char *putNumber(char *at, uint64_t number) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count > 0) *at++ = digits[--count];
  return at;
}

static char *putDigits(char *at, uint32_t key) {
  for (int i = DIGITS - 1; i >= 0; i--, key /= 10) at[i] = (char)('0' + key % 10);
  return at + DIGITS;
}

char *putKey(char *at, uint32_t key) { return putDigits(putText(at, "key-"), key); }

static size_t stampBytes(void) { return bytesOfValue < DIGITS ? bytesOfValue : DIGITS; }

char *putValue(char *at, uint32_t key) {
  char stamp[DIGITS];
  putDigits(stamp, key);
  memcpy(at, templates[key % TEMPLATES], bytesOfValue);
  memcpy(at, stamp, stampBytes());
  return at + bytesOfValue;
}

bool isValue(const char *at, uint32_t key) {
  char stamp[DIGITS];
  putDigits(stamp, key);
  size_t stamped = stampBytes();
  return memcmp(at, stamp, stamped) == 0 &&
         memcmp(at + stamped, templates[key % TEMPLATES] + stamped, bytesOfValue - stamped) == 0;
}

static char *wordOf(char *line, int number) {
  char *copy = strdup(line), *rest = copy, *word = NULL;
  for (int i = 0; i <= number; i++) word = strsep(&rest, " ");
  return word ? word : "";
}

struct account *readAccounts(const char *file, size_t *count) {
  FILE *stream = fopen(file, "r");
  if (!stream) die(1, "cannot read %s", file);
  struct account *accounts = NULL;
  char *line = NULL;
  size_t room = 0;
  for (*count = 0; getline(&line, &room, stream) > 0; line = NULL) {
    line[strcspn(line, "\n")] = 0;
    accounts = realloc(accounts, (*count + 1) * sizeof *accounts);
    accounts[(*count)++] = (struct account){line, wordOf(line, 0), wordOf(line, 1)};
  }
  fclose(stream);
  if (*count == 0) die(1, "%s holds no account", file);
  return accounts;
}
