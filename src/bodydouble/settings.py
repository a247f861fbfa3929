"""Settings of an installation: environment variables and a TOML file, read once into a frozen object.

Every setting is read from the environment variable ``BODYDOUBLE_`` + its name, then from ``bodydouble.toml`` in the
working folder, under its bare name. The environment wins. ``DATABASE_URL`` needs no prefix.

The groups below are for readers of this file: names stay flat in the environment, in the file and on ``Settings``.
"""

import ipaddress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bodydouble.tasks.dialect import DialectName

Resolution = Annotated[str, Field(pattern=r"^(480P|580P|720P)$")]
DAY_SECONDS = 24 * 3600
DAYS_MAX = 36_500
"""A century. Longer or infinite times overflow the dates of the database and of Python."""


def _check_url(text: str) -> str:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("a URL that starts with http:// or https://")
    return text


def _check_networks(text: str) -> str:
    try:
        for network in _names(text):
            ipaddress.ip_network(network)
    except ValueError as error:
        raise ValueError(f"networks such as 10.0.0.0/8, separated by commas ({error})") from None
    return text


def _check_dialects(text: str) -> str:
    unknown = set(_names(text)) - set(DialectName)
    if unknown:
        raise ValueError(f"dialects, separated by commas; there are: {', '.join(DialectName)}")
    return text


def _names(text: str) -> list[str]:
    return list(filter(None, map(str.strip, text.split(","))))


Minutes = Annotated[float, Field(gt=0, le=DAYS_MAX * 24 * 60)]
Hours = Annotated[float, Field(gt=0, le=DAYS_MAX * 24)]
Days = Annotated[float, Field(gt=0, le=DAYS_MAX)]
Url = Annotated[str, AfterValidator(_check_url)]
Networks = Annotated[str, AfterValidator(_check_networks)]
Dialects = Annotated[str, AfterValidator(_check_dialects)]


class ServerSettings(BaseSettings):
    """Where the service listens, and how clients reach it."""

    host: str = "127.0.0.1"  # address to listen on; 0.0.0.0: all addresses of this machine
    port: int = Field(default=8000, ge=0, le=65_535)  # 0: a free port
    public_url: Url = ""  # for links; empty: http://host:port, or https:// with a certificate
    allowed_hosts: str = ""  # names and networks, comma-separated: links name such a host if the request was sent to it
    tls_cert: Path | None = None  # certificate chain in PEM format; the service then speaks https
    tls_key: Path | None = None  # its private key in PEM format
    log_json: bool = False  # write log lines as JSON
    metrics_token: str = Field(default="", repr=False)  # bearer token of /metrics; empty: only requests on loopback
    reads_per_minute: int = Field(default=1200, ge=1)  # of one key at one API process
    event_streams_max: int = Field(default=200, ge=1)  # of one account, open at the same time at one API process
    connections_max: int = Field(default=2000, ge=16)  # HTTP connections open at the same time at one API process
    client_connections_max: int = Field(default=200, ge=1)  # of one client address at one API process
    trusted_proxies: Networks = "127.0.0.0/8,::1/128"  # trust X-Forwarded-For from these proxies; comma-separated
    body_bytes_max: int = Field(default=1_000_000, ge=1)  # of a request without files
    dialects_off: Dialects = ""  # APIs that are not served, comma-separated: fal, replicate, dashscope, kie, wavespeed

    @property
    def dialect_names_off(self) -> list[str]:
        """The dialects that are not served."""
        return _names(self.dialects_off)

    @property
    def link_hosts(self) -> list[str]:
        """Hosts that links may name: ``allowed_hosts``, and without a ``public_url`` the names of the loopback."""
        return _names(self.allowed_hosts) + ([] if self.public_url else ["localhost", "127.0.0.0/8", "::1/128"])

    @property
    def base_url(self) -> str:
        """The address of this installation for clients, without a trailing slash."""
        scheme = "https" if self.tls_cert else "http"
        return (self.public_url or f"{scheme}://{self.host}:{self.port}").rstrip("/")


class StorageSettings(BaseSettings):
    """The database, the files, and how long both keep what they hold."""

    data: Path = Path("bodydouble-data")  # folder of the embedded database, the files and the workspaces
    # Connection string of PostgreSQL; empty: the embedded database. Hidden: it may contain a password.
    database_url: str = Field(
        default="", validation_alias=AliasChoices("DATABASE_URL", "BODYDOUBLE_DATABASE_URL"), repr=False
    )
    database_connections_max: int = Field(default=12, ge=2)  # of one process
    files: str = ""  # a bucket (s3://, gs://, az://; extra `buckets`) or a shared folder; empty: a folder in ``data``
    secret: str = Field(default="", repr=False)  # signs links and callbacks; empty: the file ``secret`` below ``data``
    free_bytes_min: int = 500_000_000  # of the disk of ``data``, reserved for the database
    account_uploads_bytes_max: int = Field(default=20_000_000_000, ge=0)  # of all uploads of one account; 0: no limit
    upload_url_seconds: int = 3600  # validity of an upload address
    download_url_seconds: int = 7 * DAY_SECONDS  # validity of a download address
    media_days: Days = 7  # results and previews, from the end of the task
    uploads_days: Days = 2  # uploads that no task uses
    rows_days: Days = 90  # tasks, from their end; ledger and usage are kept

    @property
    def bucket(self) -> str:
        """The address of the bucket that holds the files; empty for a local folder."""
        return "" if Path(self.files).is_absolute() else self.files

    @property
    def files_folder(self) -> Path:
        """The folder that holds the files if there is no bucket."""
        return Path(self.files) if Path(self.files).is_absolute() else self.data / "files"


class MediaSettings(BaseSettings):
    """Which pictures and videos are accepted, and from where."""

    image_bytes_max: int = 50_000_000  # of the picture
    image_side_min: int = 200  # pixels
    image_side_max: int = 16_384  # pixels
    image_pixels_max: int = 110_000_000  # width times height
    video_bytes_max: int = 200_000_000  # of the video
    video_seconds_min: float = 0.0  # of the video
    video_seconds_max: float = 120.0  # of the video
    video_side_min: int = 64  # pixels
    video_side_max: int = 4096  # pixels
    data_url_bytes_max: int = Field(default=5_000_000, ge=0, le=10_000_000)  # of a file within a request
    outbound_allow: Networks = (
        ""  # networks, comma-separated, that inputs and callbacks may use though they are not public
    )
    outbound_seconds_max: int = 120  # of one download


class ProvenanceSettings(BaseSettings):
    """How results are marked as generated."""

    provenance: bool = True  # sign each result with a C2PA manifest
    # PEM: the signer's certificate, then those of its authorities; not set: a local authority, made at the first start
    provenance_certificate: Path | None = None
    provenance_key: Path | None = None  # PEM without a password; not set: in the file of the certificate
    provenance_command: str = ""  # signs instead of a key: reads the bytes from standard input, writes the signature
    provenance_trust: Path | None = None  # PEM file of further authorities; `verify` trusts their signers
    provenance_timestamp_url: Url = ""  # of a timestamp authority (RFC 3161); empty: no timestamps
    # Visible label on every result, besides those of its task and account. eu: AI; china: AI生成 with AIGC metadata.
    label: Literal["none", "eu", "china", "both"] = "none"
    label_producer: str = ""  # names you in China's AIGC metadata, by your unified social credit code
    consent_required: bool = False  # refuse tasks without the input `consent`


class AccountSettings(BaseSettings):
    """Limits and prices of accounts. The operator can set limits of a single account."""

    starting_credits: Decimal = Decimal(10_000)  # of the account that the first start creates
    # Prices that differ from the catalogue, per second of output: '{"480P": 6, "580P": 9, "720P": 12.5}'
    credits_per_second: dict[Resolution, Annotated[Decimal, Field(ge=0, decimal_places=4)]] = {}
    creates_per_minute: int = Field(default=120, ge=1)  # of one account
    tasks_active_max: int = Field(default=100, ge=1)  # waiting or running


class WorkerSettings(BaseSettings):
    """How workers process tasks and deliver callbacks."""

    models: Path | None = None  # a folder with the perception models; not set: the user's cache
    puppet_fallback: bool = True  # false: refuse `auto` if there is no GPU
    attempts_max: int = 3  # of one step if its child process dies, and of a task if its worker does
    task_hours_max: Hours = 24  # from create to settlement; then the task fails
    worker_tasks_max: int = Field(default=1, ge=0)  # at a time, the same for all workers; 0: this worker runs none
    worker_fetches_max: int = Field(default=16, ge=1)  # tasks for which one worker fetches inputs at the same time
    heartbeat_seconds: float = Field(default=5, gt=0)  # interval between signs of life of a worker
    takeover_seconds: float = Field(default=30, gt=0)  # without a heartbeat; then the worker's tasks are taken over
    callback_tries_max: int = Field(default=8, ge=1)  # attempts to deliver one callback
    callback_retry_seconds: float = Field(default=10, gt=0)  # to the second try; each later wait is 4.3 times as long
    callback_seconds_max: float = Field(default=15, gt=0)  # of one try


WanAttention = Literal["auto", "native", "cudnn", "flash", "flash3", "flash4", "sage", "sage3", "fp8", "sparse"]


class RendererSettings(BaseSettings):
    """The renderers: those of other packages, then our GPU renderer."""

    # Renderer of another package → its settings by name: '{"toy": {"brightness": 200}}', or a table [renderers.toy].
    renderers: dict[str, dict[str, Any]] = {}
    wan_on_workers: bool = False  # true: offer it although this machine cannot run it, because its workers can
    wan_weights: Path | None = None  # not set: the user's cache, which `models install wan` fills
    wan_profile: Literal["auto", "quality", "balanced", "fast"] = "auto"  # auto: the best that fits the GPU
    wan_attention: WanAttention = "auto"  # implementation of attention
    # number format of the weights
    wan_quantisation: Literal["auto", "none", "fp8", "int8", "fp8-weights", "int8-weights"] = "auto"
    wan_offload: Literal["auto", "none", "encoders", "blocks"] = "auto"  # what is kept in main memory
    # largest error of denoising steps that reuse an earlier one; 0: compute every step
    wan_step_cache: float = Field(default=0, ge=0, le=0.5)
    wan_compile: bool = True  # compile the model at its first use
    wan_relighting: Path | None = None  # a LoRA file; not set: the one in the weights folder
    wan_distillation: Path | None = None  # a LoRA file for the profile fast; not set: the one in the weights folder
    wan_segment_frames: int = Field(default=77, ge=9, le=121)  # 4n + 1
    wan_carried_frames: Literal[1, 5] = 1  # last frames of a segment that begin the next one
    wan_area_min: int = Field(default=832 * 480, ge=1)  # smaller videos and pictures are enlarged for the model
    wan_area_max: int = Field(default=1280 * 720, ge=256)  # pixels that the model works on; the person is scaled to fit
    wan_device: Literal["cuda", "cpu"] = "cuda"  # cpu takes days for a video: for tests with tiny weights
    wan_mask_columns: int = Field(default=1, ge=1, le=64)  # blocks across the person's box; 1 × 1 is the whole box
    wan_mask_rows: int = Field(default=1, ge=1, le=64)  # blocks along the person's box
    wan_idle_seconds: float = Field(default=900, ge=0)  # without a task; then the weights are unloaded
    wan_gpus: int = Field(default=1, ge=1, le=16)  # of one task; further GPUs run further tasks


class PerceptionSettings(BaseSettings):
    """Finding and tracking people for the GPU renderer. A model is a folder or an id of the hub, already downloaded."""

    perception_backend: Literal["auto", "cpu", "gpu"] = "auto"  # auto: gpu if there is a GPU and all three models
    perception_detector: str = "PekingU/rtdetr_v2_r50vd"  # finds people
    perception_pose: str = "usyd-community/vitpose-plus-huge"  # finds body landmarks
    perception_masks: str = "facebook/sam2.1-hiera-large"  # separates the person from the background
    perception_device: str = Field(default="cuda", pattern=r"^(cuda(:\d+)?|cpu)$")  # such as cuda:1


class SignInSettings(BaseSettings):
    """Signing in at the console: by link, or through an OpenID Connect provider if ``oidc_issuer`` is set."""

    sign_in_link_minutes: Minutes = 60  # validity of a sign-in link
    session_hours: Hours = 168  # validity of a session
    oidc_issuer: str = ""  # https://…, exactly as the provider's tokens name it
    oidc_client_id: str = ""  # as registered at the provider
    oidc_client_secret: str = Field(default="", repr=False)  # empty: a public client
    oidc_name: str = "single sign-on"  # shown on the button
    oidc_scopes: str = "openid email profile"  # requested from the provider
    oidc_domains: str = ""  # domains of verified e-mail addresses, comma-separated; empty: all users of the provider
    oidc_role_claim: str = ""  # such as groups, or realm_access.roles; empty: nobody becomes an operator by signing in
    oidc_operator_role: str = "operator"  # the value of that claim that makes an operator
    oidc_credits: Decimal = Field(default=Decimal(0), ge=0, decimal_places=4)  # of an account created at a sign-in
    oidc_allow: str = ""  # networks, comma-separated, that the provider may be in though they are not public


class Settings(  # pyright: ignore[reportIncompatibleVariableOverride] - BaseModel and BaseSettings differ
    ServerSettings,
    StorageSettings,
    MediaSettings,
    ProvenanceSettings,
    AccountSettings,
    WorkerSettings,
    RendererSettings,
    PerceptionSettings,
    SignInSettings,
):
    """All settings of an installation."""

    model_config = SettingsConfigDict(
        env_prefix="BODYDOUBLE_", frozen=True, extra="ignore", toml_file="bodydouble.toml", env_ignore_empty=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
