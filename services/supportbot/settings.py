"""The platform settings of a process, from `SUPPORTBOT_*` variables; what a bot does is in its spec file.

Read once, in `__main__`, by `load_settings`. Secrets are files of the secrets folder, never variables.
"""

import difflib
import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import DirectoryPath, Field, FilePath, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from supportbot.errors import UserError

PREFIX = "SUPPORTBOT_"

PORTS: Mapping[str, tuple[int, int]] = {
    "whatsapp": (3001, 9002),
    "classifier": (8001, 9001),
    "ticket": (8003, 9003),
    "console": (8080, 0),
    "operator": (8088, 0),
}
"""Of each service the HTTP port and the metrics port (0: `/metrics` on the HTTP port only)."""

INSTALL_KEY_BYTES = 32

_SECRET_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")

Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """One field per variable: `SUPPORTBOT_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    spec: FilePath
    """The bot's resource, as YAML. Required."""
    secrets: DirectoryPath = Path("secrets")
    """Folder of the referenced secrets: `<secret>/<key>`, one value per file, as Kubernetes mounts them."""
    data: Path = Path("data")
    """Folder for what the process itself keeps (journal, session); created when missing."""
    install_key_file: FilePath
    """32 random bytes in hex, the key of every `message_ref` and `group_ref` of this installation. Required."""
    nats_url: Annotated[str, Field(pattern=r"^(nats|tls|ws|wss)://[^\s]+$")] = "nats://127.0.0.1:4222"
    """Where JetStream listens; several servers are separated by commas."""
    nats_credentials_file: FilePath | None = None
    """The `.creds` file of this service's NATS user; it may be rewritten while the process runs."""
    nats_ca_file: FilePath | None = None
    """CA certificates (PEM) of the NATS server; with it, or with a `tls://` URL, the connection is TLS."""
    bot_key: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=128)] | None = None
    """The bot's name on the bus, unique there; by default the spec's `metadata.name`."""
    lanes: Annotated[int, Field(ge=1, le=64)] = 4
    """Conversations handled side by side; the same in every process of a bot."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs API keys."""
    port: Port = 0
    """HTTP port; by default the service's own (3001, 8001, 8003). 0 takes a free one."""
    metrics_port: Port = 0
    """Port that serves nothing but metrics and probes; 0 switches it off."""
    api_keys_file: FilePath | None = None
    """Lines of `<name> <SHA-256 of the key in hex> [read|write]`; two lines of one name allow rotation."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """HTTP requests that one caller may make in any 60 s."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is written."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """JSON lines, or for people; `auto` is for people on a terminal only."""
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,126}[A-Za-z0-9])?$")] = "local"
    """This replica among those of its service: the pod's name in a cluster."""

    sends_per_minute: Annotated[float, Field(gt=0)] = 20.0
    """Messages that the bot may send in any minute, over all groups."""
    journal_sync: Literal["normal", "full"] = "normal"
    """SQLite's `synchronous`: normal survives any death of the process, full also a loss of power."""

    zoho_accounts_url: HttpUrl | None = None
    """Overrides the data centre's accounts host, for an emulator or a proxy."""
    zoho_desk_url: HttpUrl | None = None
    """Overrides the data centre's Desk host, for an emulator or a proxy."""
    zoho_lookup_delays_s: Annotated[tuple[float, ...], NoDecode] = (30.0, 60.0, 120.0)
    """Seconds between looks for a ticket whose creation had no answer, before it is created again."""

    @field_validator("zoho_lookup_delays_s", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("log_level", "log_format", "journal_sync", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("install_key_file")
    @classmethod
    def _is_install_key(cls, path: Path) -> Path:
        _parse_install_key(path)
        return path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over: the environment is read there and nowhere else."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP port."""
        return is_loopback(self.host)


def load_settings(service: str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `service` from the environment; its own ports are the defaults.

    Raises:
        UserError: All faults at once, one line each, with the variable. The process ends with status 2.
    """
    environ = os.environ if environ is None else environ
    port, metrics_port = PORTS.get(service, (0, 0))
    values: dict[str, Any] = {"port": port, "metrics_port": metrics_port}
    values |= {name: environ[variable(name)] for name in Settings.model_fields if environ.get(variable(name))}
    faults = _misspelt(environ)
    try:
        settings = Settings(**values)
    except ValidationError as exc:
        faults += [f"{variable(str(error['loc'][0]))}: {_say(error['type'], error['msg'])}" for error in exc.errors()]
    else:
        if not faults:
            return settings
    raise UserError("wrong configuration:\n" + "\n".join(f"  {fault}" for fault in faults))


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def is_loopback(host: str) -> bool:
    """Whether an address or host name stands for this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_secret(settings: Settings, name: str, key: str) -> SecretStr:
    """The value of a secret's key, without the newline that editors put at its end.

    Raises:
        UserError: The file is missing, unreadable or empty, or the name leaves the folder.
    """
    if not _SECRET_PART.match(name) or not _SECRET_PART.match(key):
        raise UserError(f"secret {name!r} with key {key!r}: letters, digits, dots, dashes and underscores only")
    path = settings.secrets / name / key
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UserError(f"secret {name!r} has no readable key {key!r}: put the value into {path}") from exc
    if not value:
        raise UserError(f"secret {name!r}, key {key!r} is empty: put the value into {path}")
    return SecretStr(value)


def read_install_key(settings: Settings) -> bytes:
    """The 32 bytes that key every reference.

    Raises:
        UserError: The file has become unreadable since the start, or its content is no key.
    """
    try:
        return _parse_install_key(settings.install_key_file)
    except ValueError as exc:
        raise UserError(f"{variable('install_key_file')}: {exc}") from exc


def _parse_install_key(path: Path) -> bytes:
    advice = f"make one with `python -c 'import secrets; print(secrets.token_hex({INSTALL_KEY_BYTES}))'`"
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != INSTALL_KEY_BYTES:
        raise ValueError(f"{path} does not hold {INSTALL_KEY_BYTES} bytes in hex; {advice}")
    return key


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """Variables that are nearly a setting: their default would be used without a word.

    Others are left alone: Kubernetes puts `SUPPORTBOT_…_SERVICE_HOST` and the like into pods.
    """
    known = [variable(name) for name in Settings.model_fields]
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    near = ((name, difflib.get_close_matches(name, known, n=1, cutoff=0.9)) for name in unknown)
    return [f"{name}: no such setting; did you mean {match[0]}?" for name, match in near if match]


def _say(kind: str, message: str) -> str:
    return "is required" if kind == "missing" else message.removeprefix("Value error, ")
