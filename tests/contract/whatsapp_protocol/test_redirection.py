"""A process is redirected by its environment alone, and so is what it starts."""

import asyncio
import sys
from pathlib import Path

import pytest
from tests.emulators.whatsapp.redirection import Redirection

ROOT_KEY = bytes(range(32))
WHATSAPP_KEY = "142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b"
COUNT = f"""
import ctypes, multiprocessing, sys
from pathlib import Path

def count(queue):
    import neonize
    memory = b""
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split()
        if fields[1].startswith("rw") and "neonize" in fields[-1]:
            begin, end = (int(part, 16) for part in fields[0].split("-"))
            memory += ctypes.string_at(begin, end - begin)
    queue.put([memory.count(bytes.fromhex(key)) for key in ("{WHATSAPP_KEY}", "{ROOT_KEY.hex()}")])

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=count, args=(queue,))
    child.start()
    print(queue.get(), "neonize" in sys.modules)
    child.join()
"""


@pytest.fixture
def redirection() -> Redirection:
    return Redirection(proxy_port=1, authority_file=Path("/nowhere"), root_key=ROOT_KEY)


@pytest.mark.parametrize(("is_redirected", "keys"), [(True, "[0, 1] False"), (False, "[1, 0] False")])
async def test_a_spawned_child_has_our_root_key(
    redirection: Redirection, tmp_path: Path, is_redirected: bool, keys: str
) -> None:
    script = tmp_path / "count.py"
    script.write_text(COUNT)
    environment = redirection.environment() if is_redirected else None

    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env=environment, stdout=asyncio.subprocess.PIPE
    )

    stdout, _ = await process.communicate()
    assert stdout.decode().strip() == keys


def test_an_environment_keeps_what_is_its_own(redirection: Redirection) -> None:
    environment = redirection.environment({"PYTHONPATH": "/mine", "HOME": "/home", "HTTPS_PROXY": "http://other"})

    hook, mine = environment["PYTHONPATH"].split(":")
    assert (Path(hook) / "sitecustomize.py").is_file()
    assert (mine, environment["HOME"], environment["HTTPS_PROXY"]) == ("/mine", "/home", "http://127.0.0.1:1")
