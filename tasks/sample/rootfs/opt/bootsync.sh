#!/bin/sh
# Runs once at the end of boot, before the login prompt: what must be done by then goes here.
/opt/bootlocal.sh </dev/null >/dev/null 2>&1 &
