// What the server's processes use; their ids are given as "1,2".
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static double sumOver(const char *pids, double (*figure)(long pid)) {
  double sum = 0;
  for (char *next; pids && *pids; pids = *next ? next + 1 : next) sum += figure(strtol(pids, &next, 10));
  return sum;
}

static FILE *openOf(long pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
  return fopen(path, "r");
}

// User and system time are the 14th and 15th fields; the 2nd, in parentheses, may hold spaces.
static double cpuSeconds(long pid) {
  char fields[1024];
  unsigned long user = 0, system = 0;
  FILE *file = openOf(pid, "stat");
  if (!file) return 0;
  fields[fread(fields, 1, sizeof fields - 1, file)] = 0;
  fclose(file);
  char *afterName = strrchr(fields, ')');
  if (afterName) sscanf(afterName + 1, "%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%lu%lu", &user, &system);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double residentBytes(long pid) {
  long pages = 0;
  FILE *file = openOf(pid, "statm");
  if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

double cpuSecondsOf(const char *pids) { return sumOver(pids, cpuSeconds); }

double residentBytesOf(const char *pids) { return sumOver(pids, residentBytes); }
