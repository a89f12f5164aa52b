/* `pidfile_bsd PATH`: a program that uses pidfile(3) of libbsd.
 *
 * It prints `refused`, the error and a number, or `opened`, and for each line that it reads it goes
 * on: `written`, and at last `removed`. */

#include <bsd/libutil.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static void wait_for_a_line(void)
{
	char byte;

	while (read(0, &byte, 1) < 0)
		;
}

int main(int count, char **arguments)
{
	struct pidfh *file;
	pid_t other = -1;

	if (count != 2)
		return 2;
	alarm(300);
	file = pidfile_open(arguments[1], 0600, &other);
	if (!file) {
		printf("refused %s %d\n", strerrorname_np(errno), (int)other);
		return 1;
	}
	say("opened");
	wait_for_a_line();
	if (pidfile_write(file) < 0)
		return 3;
	say("written");
	wait_for_a_line();
	if (pidfile_remove(file) < 0)
		return 4;
	say("removed");
	return 0;
}
