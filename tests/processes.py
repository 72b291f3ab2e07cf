"""Run scripts in forked processes, from one that has imported them, which saves seconds."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.halting import halt_at

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """How a script ended: its exit code (negative: the signal), and what it said."""
    code: int
    out: str
    err: str

    def refusal(self):
        """The one sentence of a script that ended with exit code 2."""
        assert self.code == 2, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert self.err.startswith("error: ") and self.err.count("\n") == 1, self.err
        return self.err


class Scripts:
    """Starts `scripts`, one at a time, by the process of `serve`. prefix: words to start it by."""

    def __init__(self, folder, scripts, prefix=()):
        self.folder = Path(folder)
        self.server = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tests.processes", *scripts], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})
        assert self.server.stdout.readline() == "ready\n"

    def start(self, script, *words, halt=None):
        """Start a script in `folder`; gives its process id. halt: arguments of halt_at."""
        request = {"script": script, "words": [*map(str, words)], "folder": str(self.folder),
                   "halt": halt}
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def end(self):
        """Wait for the script that was started last. -> Ended."""
        code = int(self.server.stdout.readline())
        texts = ((self.folder / name).read_text(errors="replace") for name in (".out", ".err"))
        return Ended(code, *texts)

    def run(self, script, *words):
        """Start a script and wait for its end. -> Ended."""
        self.start(script, *words)
        return self.end()

    def done(self, script, *words):
        """Run a script that must end well; gives its stdout."""
        ended = self.run(script, *words)
        assert ended.code == 0, ended.out + ended.err
        return ended.out

    def close(self):
        """End the server."""
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


def serve(scripts):
    """Fork for every line of stdin; say the child's process id, and how it ended."""
    # The first optimizer of a process imports torch._dynamo, which takes a second.
    for module in (*scripts, "torch._dynamo"):
        importlib.import_module(module)
    print("ready", flush=True)
    ended = []
    for line in sys.stdin:
        request = json.loads(line)
        while ended:
            os.waitpid(ended.pop(), 0)
        if not (child := os.fork()):
            run_child(**request)
        print(child, flush=True)
        # Not reaped before its end is known: until then its id can't become another process's.
        end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        print(end.si_status if end.si_code == os.CLD_EXITED else -end.si_status, flush=True)
        ended.append(child)


def run_child(script, words, folder, halt):
    """Run main(words) of a script in `folder`, its words into files there; never returns."""
    if halt:
        halt_at(*halt)
    os.chdir(folder)
    for number, name in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = 1
    try:
        code = sys.modules[script].main(words)
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    serve(sys.argv[1:])
