// A histogram of latencies, each known to less than a percent.
#include <string.h>

#include "load.h"

enum { STEPS = 128, BUCKETS = 64 * STEPS };

static uint64_t count, longest, buckets[BUCKETS];

static unsigned bucketOf(uint64_t ns) {
  unsigned shift = ns < 2 * STEPS ? 0 : 56 - (unsigned)__builtin_clzll(ns);
  return shift * STEPS + (unsigned)(ns >> shift);
}

static double microsecondsOf(unsigned bucket) {
  unsigned shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
  return ((double)(bucket - shift * STEPS) + 0.5) * (double)(1ull << shift) / 1e3;
}

void countLatency(uint64_t ns) {
  count++;
  buckets[bucketOf(ns)]++;
  if (ns > longest) longest = ns;
}

void forgetLatencies(void) {
  count = longest = 0;
  memset(buckets, 0, sizeof buckets);
}

double percentile(double share) {
  uint64_t seen = 0;
  for (unsigned b = 0; b < BUCKETS; b++)
    if ((seen += buckets[b]) > 0 && (double)seen >= share * (double)count) return microsecondsOf(b);
  return 0;
}

double shareLaterThan(double microseconds) {
  uint64_t later = 0;
  for (unsigned b = 0; b < BUCKETS; b++)
    if (microsecondsOf(b) > microseconds) later += buckets[b];
  return count ? (double)later / (double)count : 0;
}

double longestMicroseconds(void) { return (double)longest / 1e3; }
