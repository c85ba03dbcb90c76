#!/bin/sh
# Runs when the machine is stopped.
