"""Writes `templates/crd.yaml` from `crds/supportbots.yaml`, the only source of the resource definition.

`python charts/supportbot/make_crd_template.py`; a test holds the two equal.
"""

from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "crds" / "supportbots.yaml"
TARGET = HERE / "templates" / "crd.yaml"

_KEEP = """\
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""


def make_template(crd: str) -> str:
    """The resource definition as a template: behind `crds.enabled`, kept at uninstall with `crds.keep`.

    Raises:
        ValueError: The definition holds braces that Helm would read, or its name is not where it was.
    """
    if "{{" in crd:
        raise ValueError("the resource definition holds '{{', which Helm would read")
    head, name, rest = crd.partition("  name: supportbots.supportbot.dev\n")
    if not name:
        raise ValueError("the resource definition's metadata.name was not found")
    return "{{- if .Values.crds.enabled }}\n" + head + name + _KEEP + rest + "{{- end }}\n"


if __name__ == "__main__":
    TARGET.write_text(make_template(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
