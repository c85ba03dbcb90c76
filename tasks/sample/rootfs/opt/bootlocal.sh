#!/bin/sh
# Runs once at the end of boot, in the background: what may take its time goes here.
