/* Prints a line each second. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  for (long count = 1;; count++) {
    printf("beat %ld\n", count);
    fflush(stdout);
    sleep(1);
  }
}
