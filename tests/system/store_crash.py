#!/usr/bin/python3
"""Kills rouse-mgmt at random instants under concurrent writers, and looks for a write that is lost or half done.

    tests/system/store_crash.py [--rounds 100] [--clients 64] [--seed N]

One round: every client registers, changes and deletes machines of its own, one request after the other, and rouse-mgmt is
killed with SIGKILL and started again. Then the machines are exactly those of the last answers, to the letter; of a request
that was never answered all has happened or nothing; each machine is found by whatever it can be found by, once; and its
address is its own.
"""

import argparse
import random
import sys
import tempfile
import threading
import time

from mgmt_process import GONE, POOL, Management

MOST = 6  # machines of a client at one time
SAMPLED = 100  # machines in a round that are looked up by every index, beside those whose fate was open
INDEXED = ("mac", "hostname", "ip_pool", "status")


class Lost(AssertionError):
    pass


class Client(threading.Thread):
    """Writes until the server is gone. Its machines, as they were last answered, and the request that was not answered."""

    def __init__(self, server, number, machines, seed):
        super().__init__(daemon=True)
        self.server, self.number, self.machines = server, number, machines
        self.dice = random.Random(seed)
        self.open = None  # (method, id or None, what was asked for)
        self.acknowledged = 0
        self.failure = None

    def run(self):
        connection = self.server.connect()
        try:
            while True:
                self.write(connection)
                self.acknowledged += 1
        except GONE:
            pass
        except Exception as error:  # told by the main thread
            self.failure = error

    def fields(self):
        return {"hostname": f"c{self.number}-{self.dice.getrandbits(40):x}", "cpu_cores": self.dice.randrange(1000)}

    def write(self, connection):
        some = self.dice.choice(list(self.machines)) if self.machines else None
        method = self.dice.choice(["POST", "PATCH", "PATCH", "PATCH", "DELETE"]) if some else "POST"
        if method == "POST" and len(self.machines) >= MOST:
            method = "DELETE"
        if method == "POST":
            mac = f"02:{self.number:02x}" + "".join(f":{self.dice.randrange(256):02x}" for _ in range(4))
            self.open = ("POST", None, self.fields() | {"mac": mac})
            made = self.server.request("POST", "/api/machines/", self.open[2], connection)
            self.machines[made["id"]] = made
        elif method == "PATCH":
            self.open = ("PATCH", some, self.fields())
            self.machines[some] = self.server.request("PATCH", f"/api/machines/{some}/", self.open[2], connection)
        else:
            self.open = ("DELETE", some, None)
            self.server.request("DELETE", f"/api/machines/{some}/", None, connection)
            del self.machines[some]
        self.open = None


def has(machine, fields):
    return all(machine[name] == value for name, value in fields.items())


def settle(client, there):
    """Says of the request that was not answered what became of it; THERE: all machines by id. Returns the ids it is about."""
    if client.open is None:
        return []
    method, machine, fields = client.open
    client.open = None
    if method == "POST":
        made = [one for one in there.values() if one["mac"] == fields["mac"]]
        if made and not has(made[0], fields):
            raise Lost(f"half registered: {made[0]}, asked for {fields}")
        client.machines.update({one["id"]: one for one in made})
        return [one["id"] for one in made]
    if method == "DELETE" and machine not in there:
        del client.machines[machine]
        return []
    if method == "PATCH" and machine in there and has(there[machine], fields):
        kept = ("id", "mac", "ip", "ip_pool", "created_at", "status")
        if not has(there[machine], {name: client.machines[machine][name] for name in kept}):
            raise Lost(f"half changed: {there[machine]}")
        client.machines[machine] = there[machine]
    return [machine]


def verify(server, clients, dice):
    there = {one["id"]: one for one in server.get("/api/machines/")}
    looked_up = {machine for client in clients for machine in settle(client, there)}
    expected = {machine: fields for client in clients for machine, fields in client.machines.items()}
    for machine, fields in expected.items():
        if there.get(machine) != fields:
            raise Lost(f"acknowledged: {fields}\n       there: {there.get(machine)}")
    if len(there) != len(expected):
        raise Lost(f"{len(there)} machines, where {len(expected)} were registered: {set(there) - set(expected)}")
    looked_up |= set(dice.sample(sorted(there), min(SAMPLED, len(there))))
    found = {}  # by field and value: ids
    for machine in looked_up:
        for field in INDEXED:
            value = there[machine][field]
            if (field, value) not in found:
                found[field, value] = [one["id"] for one in server.get(f"/api/machines/?{field}={value}")]
            if found[field, value].count(machine) != 1:
                raise Lost(f"{machine} is found {found[field, value].count(machine)} times by its {field} {value}")
    for (field, value), ids in found.items():
        wrong = [machine for machine in ids if there.get(machine, {}).get(field) != value]
        if wrong or (field == "ip_pool" and len(ids) != len(there)):
            raise Lost(f"{field} {value} finds {len(ids)} machines, {len(wrong)} of them wrongly")
    leases = {lease["ip_address"]: lease["mac_address"] for lease in server.get("/api/leases/")}
    for fields in there.values():
        if leases.get(fields["ip"]) != fields["mac"]:
            raise Lost(f"the address of {fields} is {leases.get(fields['ip'])}'s")
    if len(leases) != len(there):
        raise Lost(f"{len(leases)} leases for {len(there)} machines")
    return len(there)


def run(server, rounds, clients, seed, say=print):
    """ROUNDS kills under CLIENTS writers on a server that runs and is empty. Raises Lost."""
    dice = random.Random(seed)
    server.request("POST", "/api/ip-pools/", POOL)
    machines = [{} for _ in range(clients)]
    total = 0
    for number in range(1, rounds + 1):
        writers = [Client(server, at, machines[at], dice.random()) for at in range(clients)]
        for writer in writers:
            writer.start()
        delay = dice.uniform(0.05, 1)
        time.sleep(delay)
        server.kill()
        for writer in writers:
            writer.join(60)
            assert not writer.is_alive(), "a client waits for a server that is dead"
            if writer.failure:
                raise writer.failure
        server.start()
        acknowledged = sum(writer.acknowledged for writer in writers)
        total += acknowledged
        still_open = sum(writer.open is not None for writer in writers)
        kept = verify(server, writers, dice)
        say(f"round {number}: killed after {delay:.3f} s and {acknowledged} writes, {still_open} unanswered; {kept} machines")
    say(f"{rounds} rounds, {total} acknowledged writes: none lost, none half done")
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="rouse-store-crash-") as home:
        server = Management(home)
        try:
            server.start()
            run(server, options.rounds, options.clients, options.seed, say=lambda text: print(text, flush=True))
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
