"""Makes what the tests share importable, and runs the command."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
here = Path(__file__).resolve().parent
repository = here.parents[2]
sys.path[0:1] = [
    *(str(here.parent), str(repository / "tests")),
    *(str(repository / "tests" / "rollout"), str(repository / "bench")),
]

from scenarios import cli  # noqa: E402

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
