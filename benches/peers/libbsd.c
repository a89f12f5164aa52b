/* libbsd DIR: acquires and releases with pidfile(3), in turns, as bench-worker does. */

#include <bsd/libutil.h>
#include <err.h>
#include <stdio.h>
#include <time.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	char path[4096];
	long rounds;

	if (argc != 2)
		errx(2, "one argument is needed: a directory");
	snprintf(path, sizeof path, "%s/libbsd.pid", argv[1]);
	puts("ready");
	fflush(stdout);
	while (scanf("%ld", &rounds) == 1) {
		long long begun = now();

		for (long round = 0; round < rounds; round++) {
			struct pidfh *held = pidfile_open(path, 0644, NULL);

			if (held == NULL || pidfile_write(held) != 0 || pidfile_remove(held) != 0)
				err(1, "%s", path);
		}
		printf("%lld\n", (now() - begun) / rounds);
		fflush(stdout);
	}
	return 0;
}
