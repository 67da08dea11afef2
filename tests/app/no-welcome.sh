#!/bin/busybox sh
# In the place of the picture, which would hide what a test types.
