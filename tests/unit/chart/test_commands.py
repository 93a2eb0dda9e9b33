"""Every command line in the manifests is one that the program in the image understands."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from tests.unit.chart.render import ROOT, one, pod_templates, profile

from supportbot.emulators.zoho.__main__ import parse_arguments

MODULES = (
    "supportbot.emulators.people",
    "supportbot.emulators.zoho",
    "supportbot_operator",
    "supportbot_operator.check",
    "supportbot_operator.demo_bot",
)


def _containers() -> dict[str, dict[str, Any]]:
    """Of the own image, by module."""
    return {
        container["command"][2]: container
        for _, pod in pod_templates(profile("demo"))
        for container in pod["spec"]["containers"]
        if container["image"].startswith("supportbot:")
    }


def test_every_module_of_the_image_is_known() -> None:
    assert sorted(_containers()) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_options_exist(module: str) -> None:
    container = _containers()[module]
    assert container["command"] == ["python", "-m", module]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}/services:{ROOT}/operator"}
    said = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True, env=env)
    options = {argument.partition("=")[0] for argument in container["args"] if argument.startswith("--")}
    assert options
    assert options <= set(re.findall(r"--[a-z-]+", said.stdout))


def test_the_emulator_listens_where_the_service_sends() -> None:
    options = parse_arguments(_containers()["supportbot.emulators.zoho"]["args"])
    (port,) = one(profile("demo"), "Service", "supportbot-demo")["spec"]["ports"]
    assert (options.host, options.port, options.expose) == ("0.0.0.0", port["port"], True)
