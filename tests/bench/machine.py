# SPDX-License-Identifier: Apache-2.0
"""What the measurements are made with."""

import os
import re
import subprocess
from typing import Dict


def _first_line(*words: str) -> str:
    try:
        output = subprocess.run(words, stdout=subprocess.PIPE).stdout
    except OSError:
        return ""
    return output.decode("utf-8", "replace").partition("\n")[0]


def _field(path: str, name: str) -> str:
    with open(path, encoding="utf-8") as file:
        found = re.search(rf"^{name}\s*[:=]\s*\"?([^\"\n]*)", file.read(), re.MULTILINE)
    return found[1].strip() if found else ""


def conditions(compiler: str, flags: str) -> Dict[str, str]:
    """Processor, cores, memory, system, compiler and its flags: no names of machines."""
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0]) >> 20
    shown = [
        flag for flag in flags.split() if not flag.startswith(("-I", "-MMD", "-MP"))
    ]
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory} GiB",
        "system": _field("/etc/os-release", "PRETTY_NAME"),
        "compiler": _first_line(compiler, "--version") if compiler else "",
        "flags": " ".join(shown),
        "load": "%.1f" % os.getloadavg()[0],
    }
