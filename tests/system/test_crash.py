"""A handful of rounds of crash.py; ROUSE_CRASH_ROUNDS makes it more, ROUSE_CRASH_SEED repeats one run."""

import os
import random

import crash
from appliance import POOL


def test_no_kill_breaks_a_promise(appliance):
    seed = int(os.environ.get("ROUSE_CRASH_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}")
    appliance.request("PATCH", f"/api/ip-pools/{appliance.pool['id']}/", {"unknown_machines": "serve"})
    crash.run(appliance, rounds=int(os.environ.get("ROUSE_CRASH_ROUNDS", "6")), clients=2000, guests=1000, seed=seed)
