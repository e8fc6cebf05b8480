"""The loop by hand (`roofline.cpp`), built for this processor's vectors: what peers.py and kernel.py compare with."""

import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("roofline.cpp")


def lanes(avx2: bool = False) -> int:
    """Return the users that the probe has side by side: 16 where the processor has AVX-512 and may use it, else 8."""
    processor = Path("/proc/cpuinfo")
    wide = processor.is_file() and "avx512f" in processor.read_text(encoding="utf-8")
    return 16 if wide and not avx2 else 8


def build(folder: Path, users: int, steps: int, categories: int, avx2: bool = False) -> Path | None:
    """Compile the probe for N users, T steps and K categories, or return None where there is no g++."""
    binary = folder / f"roofline_{categories}"
    sizes = [f"-DUSERS={users}", f"-DSTEPS={steps}", f"-DK={categories}", f"-DW={lanes(avx2)}"]
    command = ["g++", "-O3", "-march=native", "-ffast-math", "-w", *sizes, str(SOURCE), "-o", str(binary)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return binary


def nanoseconds(binary: Path) -> list[float]:
    """Return nanoseconds of processor time per user-step, for each of the probe's repeats."""
    lines = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines()
    return [float(line.split()[0]) for line in lines]
