"""A handful of rounds of store_crash.py; ROUSE_CRASH_ROUNDS makes it more, ROUSE_CRASH_SEED repeats one run."""

import os
import random

import store_crash
from mgmt_process import Management


def test_no_kill_loses_or_halves_a_write(tmp_path):
    seed = int(os.environ.get("ROUSE_CRASH_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}")
    server = Management(tmp_path)
    server.start()
    try:
        acknowledged = store_crash.run(server, rounds=int(os.environ.get("ROUSE_CRASH_ROUNDS", "5")), clients=64, seed=seed)
        assert acknowledged > 0
    finally:
        server.stop()
        print(server.log())
