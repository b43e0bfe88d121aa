"""Trains on two workers that see each other over a bad network: two network namespaces with addresses of their own, and
between them a link that loses and delays packets. Compares the end, bit for bit, with that of workers on one machine,
and cuts the link in the middle of another run, which must end on both within the timeout. Needs Linux and root, but not
the kernel's netem: the link is a program between two TUN devices."""

import argparse
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kill_test import TEXT, TRAIN, outcome

from textgen.cli.workers import HERE, free_ports

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET = 2**16  # bytes at most
ADDRESSES = "10.99.0.1", "10.99.0.2"
PORT = 8470
CHARACTERS = 20_000  # of the text
OPTIONS = "--units 32 --dropout 0.2 --batch-size 12 --rng-seed 1 --quiet".split()
GRACE = 15.0  # seconds beyond the timeout in which all must have ended


class Link:
    """Carries packets between two TUN devices, late and not all."""

    def __init__(self, ends: Sequence[int], loss: float, delay: float) -> None:
        """Carry packets in a thread of its own; `loss` may be changed."""
        self.loss, self._delay, self._ends, self._rng = loss, delay, ends, random.Random(0)
        self.carried = self.lost = 0
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        late: list[tuple[float, int, int, bytes]] = []
        while True:
            now = time.monotonic()
            while late and late[0][0] <= now:
                _, _, end, packet = heapq.heappop(late)
                os.write(end, packet)
            ready, _, _ = select.select(self._ends, [], [], max(0.0, late[0][0] - now) if late else None)
            for end in ready:
                packet = os.read(end, PACKET)
                if self._rng.random() < self.loss:
                    self.lost += 1
                    continue
                self.carried += 1
                other = self._ends[1 - self._ends.index(end)]
                heapq.heappush(late, (time.monotonic() + self._delay, self.carried, other, packet))


@contextmanager
def network(loss: float, delay: float) -> Iterator[tuple[list[str], Link]]:
    """The names of two network namespaces, and the link between them."""
    names = [f"textgen-{os.getpid()}-{number}" for number in range(len(ADDRESSES))]
    ends = []
    try:
        for number, (name, address) in enumerate(zip(names, ADDRESSES, strict=True)):
            device = f"tg{os.getpid()}{number}"  # at most 15 characters
            ends.append(os.open("/dev/net/tun", os.O_RDWR))
            fcntl.ioctl(ends[-1], TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
            ip("netns", "add", name)
            ip("link", "set", device, "netns", name)
            ip("-n", name, "addr", "add", f"{address}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names, Link(ends, loss, delay)
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def ip(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True)


def start(
    folder: Path, addresses: Sequence[str], before: Sequence[Sequence[str]], *words: str
) -> list[subprocess.Popen[str]]:
    """Start the workers; before the command of each come words of its own."""
    processes = []
    for index, prefix in enumerate(before):
        command = [*prefix, *TRAIN, str(folder.parent / "text.txt"), "-o", str(folder / f"{index}"), *OPTIONS, *words]
        command += [f"--workers={','.join(addresses)}", f"--worker-index={index}"]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    return processes


def ended(processes: Sequence["subprocess.Popen[str]"], seconds: float) -> list[tuple[int, str]]:
    """The exit codes of processes, and what they have told."""
    try:
        told = [process.communicate(timeout=seconds)[1] for process in processes]
    except subprocess.TimeoutExpired:
        raise SystemExit(f"the workers hang: {[process.poll() for process in processes]}") from None
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, text) for process, text in zip(processes, told, strict=True)]


def main() -> None:
    """Train on one machine, over the link, and over a link that is cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loss", type=float, default=1.0, help="percent of packets that are lost (default 1)")
    parser.add_argument("--delay", type=float, default=20.0, help="milliseconds that each takes (default 20)")
    parser.add_argument("--epochs", type=int, default=3, help="(default 3)")
    parser.add_argument("--timeout", type=float, default=15.0, help="of the workers whose link is cut (default 15)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, network(options.loss / 100, options.delay / 1000) as (names, link):
        folder = Path(name)
        (folder / "text.txt").write_text(TEXT.read_text(encoding="utf-8")[:CHARACTERS], encoding="utf-8")
        for run in ("here", "far", "cut"):
            (folder / run).mkdir()
        spaces = [["ip", "netns", "exec", space] for space in names]
        far = [f"{address}:{PORT}" for address in ADDRESSES]
        epochs = f"--epochs={options.epochs}"
        compare(folder, [f"{HERE}:{port}" for port in free_ports(2)], far, spaces, epochs)
        print(
            f"the same end, bit for bit; the link lost {link.lost:,} of {link.lost + link.carried:,} packets",
            flush=True,
        )
        cut(folder / "cut", far, spaces, link, options.timeout)


def compare(
    folder: Path, here: Sequence[str], far: Sequence[str], spaces: Sequence[Sequence[str]], epochs: str
) -> None:
    """Train on one machine and over the link, and compare."""
    for run, addresses, before in (("here", here, [(), ()]), ("far", far, spaces)):
        begun = time.monotonic()
        ends = ended(start(folder / run, addresses, before, epochs), 1800)
        if any(code for code, _ in ends):
            raise SystemExit(f"a run failed: {ends}")
        print(f"{run}: {time.monotonic() - begun:.0f} s", flush=True)
    if outcome(folder / "here" / "0") != outcome(folder / "far" / "0"):
        raise SystemExit("the run over the link ended otherwise than the one on one machine")


def cut(folder: Path, far: Sequence[str], spaces: Sequence[Sequence[str]], link: Link, timeout: float) -> None:
    """Cut the link in the middle of a run."""
    processes = start(folder, far, spaces, "--epochs=100000", "--checkpoint-every=0", f"--worker-timeout={timeout:g}")
    while not (folder / "0" / "checkpoint").exists():
        if any(process.poll() is not None for process in processes):
            raise SystemExit(f"the run failed: {ended(processes, 0)}")
        time.sleep(0.1)
    link.loss = 1.0
    begun = time.monotonic()
    for index, (code, text) in enumerate(ended(processes, timeout + GRACE)):
        if code != 1 or text.count("\n") != 1:
            raise SystemExit(f"worker {index} ended with {code} and told: {text}")
        print(f"worker {index}: {text.strip()}")
    print(f"after the cut both had ended within {time.monotonic() - begun:.1f} s; the timeout was {timeout:g} s")


if __name__ == "__main__":
    main()
