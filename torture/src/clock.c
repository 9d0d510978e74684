/* Another machine's wall clock, for the process that this is loaded into before everything else: so many seconds
 * beside the one of this machine. Clocks that nobody sets are left alone. It covers what the executable calls and
 * its libraries do. A wait until a time of the wall clock is given back what was added: the kernel knows nothing
 * of it, and librdkafka would wait for days or not at all. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

static time_t beside;
static int (*get)(clockid_t, struct timespec *);
static int (*wait)(cnd_t *, mtx_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
  const char *seconds = getenv("TORTURE_CLOCK");
  beside = seconds ? atol(seconds) : 0;
  *(void **)&get = dlsym(RTLD_NEXT, "clock_gettime");
  *(void **)&wait = dlsym(RTLD_NEXT, "cnd_timedwait");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!get) begin(); /* another library begins before this one */
  int failed = get(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += beside;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  int failed = clock_gettime(CLOCK_REALTIME, &exact);
  *now = (struct timeval){.tv_sec = exact.tv_sec, .tv_usec = exact.tv_nsec / 1000};
  return failed;
}

time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
  struct timespec of_this_machine = *until;
  of_this_machine.tv_sec -= beside;
  return wait(condition, mutex, &of_this_machine);
}
