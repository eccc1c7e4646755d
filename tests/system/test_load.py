"""rouse-load, the rack of simulated machines, on the real port against the appliance."""

import json

import pytest
from appliance import ROOT, on_client

FIRST_MAC = "52:54:00:ab:00:00"


@pytest.mark.parametrize("kinds", ["ipxe-bios,udhcpc", "edk2,edk2-http"], ids=["answered alone", "answered by broadcast"])
def test_simulated_machines_come_up(appliance, tmp_path, kinds):
    machines = 40
    for number in range(machines):
        appliance.add_machine(f"load{number}", f"{FIRST_MAC[:-2]}{number:02x}")
    report = tmp_path / "report.json"
    on_client(ROOT / "build" / "release" / "bin" / "rouse-load", "--port", "xdp:client0", "--machines", machines,
              "--first-mac", FIRST_MAC, "--kind", kinds, "--resend-after", 5000, "--quiet", "--json", report)
    came_to = json.loads(report.read_text())
    assert (came_to["exchanges"], came_to["failed"], came_to["unreadable"]) == (machines, 0, 0)
