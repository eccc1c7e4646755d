"""TFTP over the rack's veth: rouse, its peers and the frame echo, with the same client."""

import dataclasses
import os
import pathlib

import load
from results import Plot, Result, percentiles
from tftp_servers import Atftpd, Dnsmasq, Echo, RouseFiles, TftpdHpa

CLIENTS = 200  # of the figures that have a target
WINDOW = 64
FILE = "bench.img"


def fetch(server, clients, seconds, content, window=1):
    """What the client reported, and beside it what the server spent."""
    is_echo = server.name == Echo.name
    before = server.cpu_seconds()
    report = load.fetch(clients, FILE if is_echo else f"{FILE}={content}", seconds, window=window, verify=not is_echo)
    spent = server.cpu_seconds() - before
    if report["corrupt"] or report["broken"] or report["refused"]:
        raise RuntimeError(f"{server.name} served {report['corrupt']} files that were not equal, broke the protocol "
                           f"{report['broken']} times and refused {report['refused']} requests")
    return {**report, "gbit": report["bytes_per_second"] * 8 / 1e9,
            "cpu_per_gib": spent / max(report["bytes"] / 2**30, 1e-9)}


def best(server, clients, how, window=1):
    """Of a few rounds the fastest: what else the machine does is in all of them, but seldom all the time. Each has a
    server that was just started: one that still sends to the clients of the last round is another one's load."""
    taken = []
    for _ in range(how.rounds):
        with server:
            taken.append(fetch(server, clients, how.seconds, how.content, window))
    return max(taken, key=lambda one: one["gbit"])


def measure(server, how):
    """By number of clients; and one client with a window, of those that know windows."""
    by_clients = {clients: best(server, clients, how) for clients in how.crowds}
    return by_clients, best(server, 1, how, WINDOW) if isinstance(server, (Atftpd, RouseFiles)) else None


def results_of(crowds, windowed):
    at = {name: by_clients[CLIENTS] for name, by_clients in crowds.items()}
    rouse, echo = at.pop("rouse"), at.pop("frame echo")
    limit_name = "frame echo: a block's frame for each ACK, same port, same client"
    fastest = max(peer["gbit"] for peer in at.values())
    thriftiest = min(peer["cpu_per_gib"] for peer in at.values())
    is_at_limit = rouse["gbit"] >= 0.8 * echo["gbit"]
    return [
        Result("tftp/veth/goodput", rouse["gbit"], "Gbit/s", (limit_name, echo["gbit"]),
               {name: peer["gbit"] for name, peer in at.items()}, wanted="4 x the best peer, or 0.8 of the limit",
               reached=rouse["gbit"] >= 4 * fastest or is_at_limit,
               note=f"{CLIENTS} transfers at a time, blocks of {load.BLOCK}, no window"),
        Result("tftp/veth/cpu", rouse["cpu_per_gib"], "CPU s/GiB", (limit_name, echo["cpu_per_gib"]),
               {name: peer["cpu_per_gib"] for name, peer in at.items()},
               wanted="a quarter of the best peer's, or goodput at 0.8 of the limit",
               reached=rouse["cpu_per_gib"] <= thriftiest / 4 or is_at_limit,
               note="server processes with their children and what the kernel does for them"),
        Result("tftp/veth/turnaround_p99", rouse["turnaround_us"]["p99"], "us",
               (limit_name, echo["turnaround_us"]["p99"]),
               {name: peer["turnaround_us"]["p99"] for name, peer in at.items()},
               note="an acknowledgement to the next block, under that load"),
        Result("tftp/veth/windowed_client", windowed["rouse"]["gbit"], "Gbit/s",
               ("frame echo: a window of frames for each ACK", windowed["frame echo"]["gbit"]),
               {"atftpd": windowed["atftpd"]["gbit"]}, wanted="3 x atftpd",
               reached=windowed["rouse"]["gbit"] >= 3 * windowed["atftpd"]["gbit"],
               note=f"one client, window {WINDOW}; the other servers know no windows"),
    ]


def plots_of(crowds):
    limits = ("frame echo",)
    return [
        Plot("tftp-goodput", "TFTP: goodput against clients", "clients at a time", "Gbit/s",
             {name: [(clients, one["gbit"]) for clients, one in by_clients.items()]
              for name, by_clients in crowds.items()}, log_x=True, limits=limits,
             note=f"blocks of {load.BLOCK} bytes, no window; more is better"),
        Plot("tftp-turnaround", f"TFTP: acknowledgement to next block, {CLIENTS} clients", "percentile", "microseconds",
             percentiles({name: by_clients[CLIENTS] for name, by_clients in crowds.items()}, "turnaround_us"),
             kind="bars", log_y=True, limits=limits, note="less is better"),
        Plot("tftp-cpu", "TFTP: what a GiB costs the server", "clients at a time", "CPU seconds per GiB",
             {name: [(clients, one["cpu_per_gib"]) for clients, one in by_clients.items()]
              for name, by_clients in crowds.items()}, log_x=True, limits=limits, note="less is better"),
    ]


@dataclasses.dataclass
class How:
    crowds: tuple  # numbers of clients
    seconds: int   # of each run
    rounds: int
    content: pathlib.Path  # what is fetched


def measure_all(files, how, say):
    by_server, windowed = {}, {}
    for server in (Echo(files), Atftpd(files), TftpdHpa(files), Dnsmasq(files), RouseFiles(files, max(how.crowds))):
        say(f"TFTP: {server.name}")
        by_server[server.name], windowed[server.name] = measure(server, how)
        one = by_server[server.name][CLIENTS]
        say(f"      {CLIENTS} clients: {one['gbit']:.2f} Gbit/s, {one['cpu_per_gib']:.2f} CPU s/GiB")
    windowed[Echo.name] = best(Echo(files, WINDOW), 1, how, WINDOW)
    return by_server, windowed


def bench(quick, say):
    files = {FILE: os.urandom(3_000_000 if quick else 10_000_000)}
    content = load.keep(files[FILE])
    how = How((1, 20, CLIENTS), 1, 1, content) if quick else How((1, 10, 50, CLIENTS, 1000), 4, 2, content)
    try:
        by_server, windowed = measure_all(files, how, say)
    finally:
        content.unlink()
    # rouse first in every picture, the limit last.
    by_server = {name: by_server[name] for name in ("rouse", "atftpd", "tftpd-hpa", "dnsmasq", "frame echo")}
    return results_of(by_server, windowed) + plots_of(by_server)
