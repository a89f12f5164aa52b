/* `peer PATH KIND`: another program that has the file locked, in a way that flock does not see.
 *
 * It prints `ready` and its number, and holds on until it reads a line or the end of its input.
 * The kinds are `lockf`, `read`, `write`, `range` (fcntl locks of a process), `ofd-read`,
 * `ofd-write`, `ofd-range` (those of an open file), `lease` (given up when the kernel asks) and
 * `stubborn-lease` (kept until told). */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file;
static volatile sig_atomic_t keeps_the_lease;

static void asked(int signal)
{
	(void)signal;
	if (!keeps_the_lease)
		fcntl(file, F_SETLEASE, F_UNLCK);
}

static int record(int command, short type, off_t start, off_t length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
	return fcntl(file, command, &lock);
}

static int take(const char *kind)
{
	if (!strcmp(kind, "lockf"))
		return lockf(file, F_TLOCK, 0);
	if (!strcmp(kind, "read"))
		return record(F_SETLK, F_RDLCK, 0, 0);
	if (!strcmp(kind, "write"))
		return record(F_SETLK, F_WRLCK, 0, 0);
	if (!strcmp(kind, "range"))
		return record(F_SETLK, F_WRLCK, 100, 1);
	if (!strcmp(kind, "ofd-read"))
		return record(F_OFD_SETLK, F_RDLCK, 0, 0);
	if (!strcmp(kind, "ofd-write"))
		return record(F_OFD_SETLK, F_WRLCK, 0, 0);
	if (!strcmp(kind, "ofd-range"))
		return record(F_OFD_SETLK, F_WRLCK, 1, 1);
	if (strstr(kind, "lease")) {
		keeps_the_lease = !strcmp(kind, "stubborn-lease");
		signal(SIGIO, asked);
		return fcntl(file, F_SETLEASE, F_WRLCK);
	}
	return -1;
}

int main(int count, char **arguments)
{
	char byte;

	if (count != 3)
		return 2;
	alarm(300);
	file = open(arguments[1], O_RDWR);
	if (file < 0 || take(arguments[2]) < 0) {
		perror(arguments[2]);
		return 1;
	}
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	while (read(0, &byte, 1) < 0)
		;
	return 0;
}
