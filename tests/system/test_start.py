"""How long the rack waits for a dataplane that starts: a crash, or an update, costs no more."""

import time

from appliance import PORT, restart_dataplane
from wire import PXE, Message, Port

MAC = "52:54:00:77:30:01"
ROUNDS = 5
SECONDS = 3 if (PORT or "").startswith("dpdk:") else 1  # DPDK starts its environment first


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))


def test_a_killed_dataplane_answers_soon_after_its_start(appliance):
    appliance.add_machine("node", MAC)
    took, process = [], None
    try:
        with Port() as port:
            for number in range(ROUNDS):
                start = time.monotonic()
                process = restart_dataplane(appliance)
                while not port.ask(Message("discover", MAC, xid=number + 1, options=dict(PXE)), seconds=0.01):
                    assert time.monotonic() - start < 10
                took.append(time.monotonic() - start)
        print("start to first answer: " + ", ".join(f"{seconds:.3f} s" for seconds in sorted(took)) +
              f"; resident then: {resident_mib(process.pid):.0f} MiB")
        assert sorted(took)[ROUNDS // 2] < SECONDS
    finally:
        appliance.stop()
        if process:
            process.wait(10)
