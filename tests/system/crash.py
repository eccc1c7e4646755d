#!/usr/bin/python3
"""Kills the appliance's processes at random instants under the load of a rack, and looks for a broken promise.

    tests/system/crash.py [--rounds 50] [--clients 2000] [--guests 1000] [--seed N]

One round: clients ask for addresses, machines are registered, and a process (or both) is killed with SIGKILL and started
again. Then every client that was ever given an address must get the same one, no two the same, and /api/leases/ must
say so too. Run it as root; it raises the rack and an appliance of its own.
"""

import argparse
import collections
import concurrent.futures
import http.client
import random
import sys
import threading
import time
import urllib.error

from appliance import POOL, ApiError, Appliance, script
from wire import REQUESTED, SERVER_ID, Message, Port, ip_bytes, mac_text

WINDOW = 256  # clients that wait for an answer at one time
PATIENCE = 0.25  # seconds until a client tries again


class BrokenPromise(AssertionError):
    pass


class Client:
    """One machine of the rack: its hardware address, and what it was promised."""

    def __init__(self, number, registered):
        self.mac = mac_text((0x020077000000 | number).to_bytes(6, "big"))
        self.number, self.registered = number, registered
        self.address = None  # of its last ACK

    def frame(self, kind, **fields):
        return Message(kind, self.mac, self.number, **fields).frame()

    def discover(self):
        return self.frame("discover")

    def select(self, offer):
        return self.frame("request", options={REQUESTED: ip_bytes(offer.yiaddr), SERVER_ID: offer.options[SERVER_ID]})

    def reboot(self):
        return self.frame("request", options={REQUESTED: ip_bytes(self.address)})

    def rebind(self):
        return self.frame("request", ciaddr=self.address, ip_source=self.address)


class Rack:
    """All clients behind one port, and the record of what they were told."""

    def __init__(self, port, clients, dice):
        self.port, self.dice = port, dice
        self.clients = {client.mac: client for client in clients}
        self.owner = {}  # address -> client: whom it was offered or given to, for good
        self.answers = 0

    def take(self, message):
        """Holds one answer against the record; returns its client when that has no more to wait for."""
        client = self.clients.get(message.mac)
        if client is None or message.type not in ("offer", "ack", "nak"):
            return None
        self.answers += 1
        if message.type == "nak":
            raise BrokenPromise(f"{client.mac} is refused {client.address}, which it was given")
        # A stranger that is offered an address and does not take it may lose it again.
        is_promise = message.type == "ack" or client.registered
        owner = self.owner.setdefault(message.yiaddr, client) if is_promise else self.owner.get(message.yiaddr, client)
        if owner is not client:
            raise BrokenPromise(f"{message.yiaddr} went to {owner.mac} and to {client.mac}")
        if client.address not in (None, message.yiaddr):
            raise BrokenPromise(f"{client.mac} has {client.address} and is told {message.yiaddr}")
        if message.type == "offer":
            self.port.socket.send(client.select(message))
            return None
        client.address = message.yiaddr
        return client

    def ask(self, clients, opening, over, once=False):
        """Lets CLIENTS ask, WINDOW at a time, each starting with OPENING(client), again and again until OVER().
        With ONCE each asks until it was answered; returns those that were not."""
        queue, waiting = collections.deque(clients), {}
        while not over() and (queue or waiting):
            now = time.monotonic()
            while queue and len(waiting) < WINDOW:
                client = queue.popleft()
                self.port.socket.send(opening(client))
                waiting[client] = now
            for message in self.port.messages(0.01):
                client = self.take(message)
                if client is not None and waiting.pop(client, None) and not once:
                    queue.append(client)
                if not waiting:
                    break
            for client in [client for client, since in waiting.items() if since < now - PATIENCE]:
                del waiting[client]
                queue.append(client)
        return list(queue) + list(waiting)

    def any_opening(self, client):
        if client.address is None:
            return client.discover()
        return self.dice.choice([client.discover, client.reboot, client.rebind])()


class Operator(threading.Thread):
    """Registers machines over REST, one after the other, whatever becomes of the management plane meanwhile."""

    def __init__(self, appliance, clients):
        super().__init__(daemon=True)
        self.appliance, self.todo, self.registered = appliance, collections.deque(clients), []

    def run(self):
        while self.todo:
            client = self.todo[0]
            try:
                machine = self.appliance.add_machine(f"late-{client.number}", client.mac)
                self.registered.append((client, machine["ip"]))
            except ApiError as error:
                if error.status != 409:  # it was committed, and only the answer was lost
                    raise
            except (urllib.error.URLError, http.client.HTTPException, OSError):
                time.sleep(0.02)
                continue
            self.todo.popleft()


def strike(appliance, victims, delay):
    time.sleep(delay)
    for victim in victims:
        appliance.kill(victim)
    appliance.start()


def leases_of(appliance):
    return {lease["ip_address"]: lease["mac_address"] for lease in appliance.get("/api/leases/")}


def verify(appliance, rack, operators):
    """Every promise that was ever made still stands."""
    promised = [client for client in rack.clients.values() if client.address]
    deadline = time.monotonic() + 15
    deaf = rack.ask(promised, Client.reboot, lambda: time.monotonic() > deadline, once=True)
    if deaf:
        raise BrokenPromise(f"{len(deaf)} clients are no longer answered, such as {deaf[0].mac} with {deaf[0].address}")
    leases = leases_of(appliance)
    for client in promised:
        if leases.get(client.address) != client.mac:
            raise BrokenPromise(f"{client.mac} was given {client.address}, which /api/leases/ says is {leases.get(client.address)}'s")
    for operator in operators:
        for client, address in operator.registered:
            if leases.get(address) != client.mac:
                raise BrokenPromise(f"{client.mac} was registered with {address}, which is {leases.get(address)}'s now")
    return len(promised)


def run(appliance, rounds, clients, guests, seed, say=print):
    """ROUNDS kills under CLIENTS, of which GUESTS are strangers on a network that serves them. Raises BrokenPromise."""
    dice = random.Random(seed)
    everybody = [Client(number, number >= guests) for number in range(clients)]
    registered = everybody[guests:]
    late = [registered.pop() for _ in range(min(len(registered) // 4, 10 * rounds))]  # these arrive during the rounds
    appliance.add_machines(client.mac for client in registered)
    operators = []
    with Port() as port, concurrent.futures.ThreadPoolExecutor() as threads:
        rack = Rack(port, everybody, dice)
        for number in range(1, rounds + 1):
            victims = dice.choice([("mgmt",), ("dataplane",), ("mgmt", "dataplane")])
            delay = dice.uniform(0.02, 0.5)
            asking = everybody[:guests] + registered + [client for operator in operators for client, _ in operator.registered]
            dice.shuffle(asking)
            share = -(-len(late) // rounds)
            operator = Operator(appliance, late[(number - 1) * share:number * share])
            operators.append(operator)
            operator.start()

            blow = threads.submit(strike, appliance, victims, delay)
            rack.ask(asking, rack.any_opening, over=blow.done)
            blow.result()
            operator.join(30)
            assert not operator.is_alive() and not operator.todo, "registering machines does not come to an end"
            kept = verify(appliance, rack, operators)
            say(f"round {number}: {' and '.join(victims)} killed after {delay:.3f} s; {kept} clients keep their addresses")
        say(f"{rounds} rounds, {rack.answers} answers: no address twice, no lease lost")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    appliance = Appliance()
    script("rack", "up")
    try:
        appliance.start("--fresh")
        appliance.post("/api/ip-pools/", POOL | {"unknown_machines": "serve" if options.guests else "ignore"})
        run(appliance, options.rounds, options.clients, options.guests, options.seed)
    finally:
        appliance.stop()
        script("rack", "down")


if __name__ == "__main__":
    sys.exit(main())
