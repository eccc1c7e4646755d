"""An SMO provisions a real machine: it finds templates and resources, asks, follows, and releases."""

import uuid

import pytest
from appliance import ApiError, VirtualMachine, wait_until

MAC = "52:54:00:77:00:01"
INVENTORY = "/o2ims-infrastructureInventory/v1"
PROVISIONING = "/o2ims-infrastructureProvisioning/v1/provisioningRequests"
ARTIFACTS = "/o2ims-infrastructureArtifacts/v1/managedInfrastructureTemplates"


def resources(appliance):
    """Every server of every pool."""
    return [resource for pool in appliance.get(f"{INVENTORY}/resourcePools")
            for resource in appliance.get(f"{INVENTORY}/resourcePools/{pool['resourcePoolId']}/resources")]


def ask(appliance, **parameters):
    request = {"provisioningRequestId": str(uuid.uuid4()), "name": "rack 7", "description": "one server",
               "templateName": "ramdisk", "templateVersion": "1.0.0", "templateParameters": parameters}
    appliance.post(PROVISIONING, request)
    return f"{PROVISIONING}/{request['provisioningRequestId']}"


def phase(appliance, url):
    return appliance.get(url)["status"]["provisioningPhase"]


def is_gone(appliance, url):
    try:
        appliance.get(url)
    except ApiError as error:
        assert error.status == 404
        return True
    return False


def test_a_request_boots_its_machine_and_releases_it(appliance, ramdisk_profile, tmp_path):
    templates = appliance.get(f"{ARTIFACTS}?filter=(eq,name,ramdisk)")
    assert [template["name"] for template in templates] == ["ramdisk"]
    url = ask(appliance, servers=[{"hostname": "n1", "mac": MAC}])
    # Nobody has heard of this machine: it is reserved, and the message says what is waited for.
    status = wait_until("the request waits for its machine", lambda: (
        now := appliance.get(url)["status"])["provisioningPhase"] == "PROGRESSING" and now, 10)
    assert "n1" in status["message"] and "powered on" in status["message"], status

    vm = VirtualMachine("vm1", MAC, tmp_path)
    try:
        vm.wait()
    finally:
        vm.stop()
    wait_until("the request is fulfilled", lambda: phase(appliance, url) == "FULFILLED", 20)
    request = appliance.get(url)
    [server] = request["status"]["infrastructureResourceProvisioningStatus"]
    assert server["resourceProvisioningPhase"] == "PROVISIONED"
    assert request["provisionedResourceSet"]["infrastructureResourceIds"] == [server["resourceId"]]
    # The inventory knows the machine by what its own agent found.
    [resource] = [one for one in resources(appliance) if one["resourceId"] == server["resourceId"]]
    assert resource["elements"], resource
    assert resource["extensions"]["sources"], resource

    appliance.request("DELETE", url)
    wait_until("the request is gone", lambda: is_gone(appliance, url), 20)
    # It was made for the request, and goes with it.
    assert appliance.get(f"/api/machines/?mac={MAC}") == []


def test_a_machine_that_never_comes_fails_its_request_in_time(appliance, ramdisk_profile):
    url = ask(appliance, servers=[{"hostname": "n1", "mac": MAC}], powerOnSeconds=2)
    wait_until("the deadline has passed", lambda: phase(appliance, url) == "FAILED", 20)
    message = appliance.get(url)["status"]["message"]
    assert "n1" in message and "power-on" in message, message


def test_requests_outlive_a_crash(appliance, ramdisk_profile):
    urls = [ask(appliance, servers=[{"hostname": f"n{i}", "mac": f"52:54:00:77:01:{i:02x}"}]) for i in range(20)]
    appliance.kill("mgmt")
    appliance.start()
    wait_until("all go on", lambda: all(phase(appliance, url) == "PROGRESSING" for url in urls), 20)
    machines = appliance.get("/api/machines/?limit=100")
    assert len({machine["mac"] for machine in machines}) == len(machines) == 20


@pytest.mark.parametrize("parameters, pointer", [
    ({"servers": []}, "/templateParameters/servers"),
    ({"servers": [{"hostname": "n1", "mac": "nonsense"}]}, "/templateParameters/servers/0/mac"),
    ({"servers": [{"hostname": "n1"}], "boots": 0}, "/templateParameters/boots"),
])
def test_a_wrong_parameter_is_pointed_at(appliance, ramdisk_profile, parameters, pointer):
    with pytest.raises(ApiError) as refused:
        ask(appliance, **parameters)
    assert refused.value.status in (400, 422)
    assert pointer in str(refused.value.problem), refused.value.problem
    assert appliance.get(PROVISIONING) == []
