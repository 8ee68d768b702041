"""Run on a server or here, a request on standard input: who answers? Needs no rights and changes nothing.

Stays within Python's standard library. Reads {"seconds": 2.5, "at_once": 400, "from_port": 0, "probes":
[[protocol, address, port], ...]} and prints a JSON list of as many words: `open`, `refused` (it came through,
and nothing listens), `silent`, or `unreachable NAME`. `from_port` is the UDP sender's, 0 for any.
"""

import asyncio
import errno
import json
import socket
import sys

SILENT, OPEN, REFUSED = "silent", "open", "refused"
SENDS = 3
"""Datagrams a probe: the kernel answers a closed port only so often, and one may be lost."""


def word(problem: OSError) -> str:
    """What an error of the socket says of the way to the target."""
    if isinstance(problem, ConnectionRefusedError):
        return REFUSED
    if problem.errno == errno.ETIMEDOUT:
        return SILENT
    return f"unreachable {errno.errorcode.get(problem.errno or 0, problem.errno)}"


def place(
    address: str, port: int, kind: socket.SocketKind
) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """The socket address; a link-local one gets this machine's own interface as its scope."""
    if address.startswith("fe80:"):
        address += f"%{interface()}"
    found = socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST)[0]
    return found[0], found[4]


def interface() -> str:
    """The first interface that is not the loopback."""
    return next((name for _, name in socket.if_nameindex() if name != "lo"), "lo")


async def tcp(address: str, port: int, seconds: float) -> str:
    """Begin a connection and end it at once."""
    loop = asyncio.get_running_loop()
    family, target = place(address, port, socket.SOCK_STREAM)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            await asyncio.wait_for(loop.sock_connect(probe, target), seconds)
        except TimeoutError:
            return SILENT
    return OPEN


async def udp(address: str, port: int, seconds: float, from_port: int) -> str:
    """Send empty datagrams; an answer, or the ICMP error that tells of a closed port, ends the wait."""
    loop = asyncio.get_running_loop()
    family, target = place(address, port, socket.SOCK_DGRAM)
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("", from_port))
        probe.connect(target)
        for _ in range(SENDS):
            probe.send(b"")
            try:
                await asyncio.wait_for(loop.sock_recv(probe, 1), seconds / SENDS)
            except TimeoutError:
                continue
            return OPEN
    return SILENT


async def ask(request: "dict[str, object]") -> "list[str]":
    """All probes of the request, so many at once."""
    turns = asyncio.Semaphore(int(str(request["at_once"])))
    seconds, from_port = float(str(request["seconds"])), int(str(request["from_port"]))

    async def one(protocol: str, address: str, port: int) -> str:
        async with turns:
            try:
                if protocol == "udp":
                    return await udp(address, port, seconds, from_port)
                return await tcp(address, port, seconds)
            except OSError as problem:
                return word(problem)

    probes = list(request["probes"])  # type: ignore[call-overload]
    return list(await asyncio.gather(*(one(*probe) for probe in probes)))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(json.load(sys.stdin)))))
