# SPDX-License-Identifier: Apache-2.0
"""The py-heap commands: what a person types and sees.

Everything here but `gdbside` works without gdb; everything but `walk` works
without libwalk.  Nothing here knows an offset or reads a byte of the target.
"""
