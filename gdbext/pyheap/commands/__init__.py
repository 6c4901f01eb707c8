# SPDX-License-Identifier: Apache-2.0
"""The commands: each file declares a family of them beside what answers them."""
