# SPDX-License-Identifier: Apache-2.0
"""What knows gdb: the selected target, expressions, the screen, the commands' names."""
