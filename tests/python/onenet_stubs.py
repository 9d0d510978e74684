"""Python modules made from the contracts in proto/, when they are first asked for.

Nothing generated is kept under version control: a client that shares only the contracts with us starts from the
contracts. What was made stands in target/python-stubs and is made again when a contract or the generator changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import io
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
STUBS = ROOT / "target" / "python-stubs"


def load(name: str) -> ModuleType:
    """The module of that name, for example `onenet.credit.v1.credit_entry_pb2`."""
    prepare()
    return importlib.import_module(name)


@cache
def prepare() -> None:
    """Makes the modules where they are missing or old, and lets Python find them."""
    STUBS.parent.mkdir(exist_ok=True)
    with STUBS.with_name(".python-stubs-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests that start at once would write the same folder
        wanted, stamp = fingerprint(), STUBS / "stamp"
        if not stamp.exists() or stamp.read_text() != wanted:
            generate(wanted)
    sys.path.insert(0, str(STUBS))
    # The contract of CloudEvents lives in the package `io`, a name that Python's own library has taken. Giving that
    # module a path makes `io.cloudevents` importable and changes nothing else about it.
    vars(io)["__path__"] = [str(STUBS / "io")]


def contracts() -> list[Path]:
    """Every contract, in a fixed order."""
    return sorted(PROTO.rglob("*.proto"))


def fingerprint() -> str:
    """Differs as soon as a contract or the generator does. Times of files would not: a checkout sets them anew."""
    digest = hashlib.sha256(version("grpcio-tools").encode())
    for path in contracts():
        digest.update(f"\0{path.relative_to(PROTO)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def generate(stamp: str) -> None:
    """Writes all modules beside the old ones and puts them in place whole; a run that was cut off leaves nothing half."""
    new = STUBS.with_name("python-stubs.new")
    for folder in (new, STUBS):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir()
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(PROTO)]
    command += [f"--python_out={new}", f"--grpc_python_out={new}", *map(str, contracts())]
    subprocess.run(command, check=True)
    (new / "stamp").write_text(stamp)
    new.rename(STUBS)
