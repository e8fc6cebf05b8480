"""How long a loop takes to compile, in processor seconds, and which functions take most of it.

Usage: uv run python bench/compiling.py [plain | everything]
The cache is a new, empty folder. A function's seconds include what it was the first to call.
"""

import argparse
import os
import tempfile
import time
from typing import Any

LOOPS: dict[str, dict[str, Any]] = {"plain": {}, "everything": {"intervention": {"at": 0, "quota": 0.5}}}
SHOWN = 12


def main() -> None:
    """Compile a loop and print its functions, longest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", nargs="?", choices=LOOPS, default="plain")
    loop = parser.parse_args().loop
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MIRRORFIELD_CACHE_DIR"] = folder
        from numba.core import event

        import mirrorfield as mf
        from mirrorfield.population.run import plan_run, run_block

        class Listener(event.Listener):  # type: ignore[misc]
            """Adds up the processor time of every function, by name."""

            def __init__(self) -> None:
                self.began: list[float] = []
                self.seconds: dict[str, float] = {}

            def on_start(self, event: Any) -> None:
                """Note when a compilation begins."""
                self.began.append(time.process_time())

            def on_end(self, event: Any) -> None:
                """Add what it took."""
                name = event.data["dispatcher"].__name__
                self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - self.began.pop()

        listener = Listener()
        event.register("numba:compile", listener)
        began = time.process_time()
        run_block(plan_run(mf.Scenario(users=1, steps=1, **LOOPS[loop])), 0, 1)
        print(f"{loop}: {time.process_time() - began:.1f} processor seconds, {len(listener.seconds)} functions")
        for name, seconds in sorted(listener.seconds.items(), key=lambda pair: -pair[1])[:SHOWN]:
            print(f"  {name:<22} {seconds:5.1f}")


if __name__ == "__main__":
    main()
