"""What a record says of where, when and with which code it was obtained."""

import re
import subprocess
from datetime import date
from pathlib import Path

import torch


def describe_machine() -> dict[str, str]:
    """``machine`` (accelerator, or processor and threads), ``date``, ``torch`` and ``code`` (the commit).

    A processor that computes in bfloat16 says so: in mixed precision others of its name round otherwise.
    """
    if torch.cuda.is_available():
        machine = torch.cuda.get_device_name()
    else:
        threads = torch.get_num_threads()
        machine = f"{_processor()}, {threads} thread{'s' if threads > 1 else ''}"
    return dict(machine=machine, date=date.today().isoformat(), torch=torch.__version__, code=_commit())


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    name = found.group(1).strip() if found else "unknown processor"
    return name + (" with bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", text) else "")


def _commit() -> str:
    """The short hash of the commit that runs, ``+`` where files differ from it; ``unknown`` outside a repository."""
    describe = ["git", "describe", "--always", "--exclude", "*", "--dirty=+"]
    done = subprocess.run(describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
