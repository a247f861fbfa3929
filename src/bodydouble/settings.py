"""Environment and TOML to one frozen object, read once.

Every setting has the prefix ``BODYDOUBLE_`` in the environment, and its bare name in ``bodydouble.toml`` of the
working folder; the environment wins. ``DATABASE_URL`` alone goes without the prefix, as everywhere.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Resolution = Annotated[str, Field(pattern=r"^(480P|580P|720P)$")]


class Settings(BaseSettings):
    """What an installation may choose."""

    model_config = SettingsConfigDict(
        env_prefix="BODYDOUBLE_", frozen=True, extra="ignore", toml_file="bodydouble.toml", env_ignore_empty=True
    )

    data: Path = Path("bodydouble-data")  # database, files and workspaces
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""  # how clients reach us, for links; default http://host:port
    # It may hold a password.
    database_url: str = Field("", validation_alias=AliasChoices("DATABASE_URL", "BODYDOUBLE_DATABASE_URL"), repr=False)
    files: str = ""  # a bucket (s3://, gs://, az://) or a folder that all machines share; empty: in the data folder
    secret: str = Field("", repr=False)  # signs links and callbacks; empty: the file ``secret`` of the data folder
    free_bytes_min: int = 500_000_000  # of the data folder's disk, left to the database
    models: Path | None = None  # a prepared folder with the model pack
    log_json: bool = False

    body_bytes_max: int = 1_000_000
    image_bytes_max: int = 10_000_000
    image_side_min: int = 200
    image_side_max: int = 4096
    video_bytes_max: int = 200_000_000
    video_seconds_min: float = 1.0
    video_seconds_max: float = 120.0
    video_side_min: int = 200
    video_side_max: int = 4096

    data_url_bytes_max: int = Field(5_000_000, ge=0, le=10_000_000)  # of a file that comes within a request
    upload_url_seconds: int = 3600
    download_url_seconds: int = 7 * 24 * 3600
    outbound_allow: str = ""  # networks, separated by commas, that inputs and callbacks may lie in though not public
    outbound_seconds_max: int = 120
    starting_credits: Decimal = Decimal(10_000)  # of the account that the first start makes
    wan_weights: Path | None = None  # a folder; None: the user's cache, where `models install wan` puts them
    wan_profile: Literal["auto", "quality", "balanced", "fast"] = "auto"  # auto: the best that the card holds
    wan_attention: Literal["auto", "native", "cudnn", "flash", "flash3", "sage"] = "auto"
    wan_quantisation: Literal["auto", "none", "fp8", "int8", "fp8-weights", "int8-weights"] = "auto"
    wan_offload: Literal["auto", "none", "encoders", "blocks"] = "auto"  # what waits in the machine's memory
    wan_compile: bool = True
    wan_relighting: Path | None = None  # a LoRA's file; None: the one in the weights folder
    wan_distillation: Path | None = None  # a LoRA's file, for the profile fast; None: the one in the weights folder
    wan_segment_frames: int = Field(77, ge=9, le=121)  # 4n + 1
    wan_carried_frames: Literal[1, 5] = 1
    wan_area_max: int = Field(1280 * 720, ge=256)  # pixels that the model works on; above it the person is enlarged
    wan_device: Literal["cuda", "cpu"] = "cuda"  # cpu: days for a video; for tests on tiny weights
    wan_mask_columns: int = Field(1, ge=1, le=64)  # blocks across the person's box; 1 x 1 is the whole box
    wan_mask_rows: int = Field(1, ge=1, le=64)
    wan_idle_seconds: float = Field(900, ge=0)  # without a task the weights stay loaded for so long
    wan_gpus: int = Field(1, ge=1, le=16)  # of one task; with more cards than that as many tasks run side by side
    # What finds and follows people for wan: each model a folder, or an id of the hub whose files are in its cache.
    perception_backend: Literal["auto", "cpu", "gpu"] = "auto"  # auto: gpu where there is a card and all three models
    perception_detector: str = "PekingU/rtdetr_v2_r50vd"
    perception_pose: str = "usyd-community/vitpose-plus-huge"
    perception_masks: str = "facebook/sam2.1-hiera-large"
    perception_device: str = Field("cuda", pattern=r"^(cuda(:\d+)?|cpu)$")
    wan_on_workers: bool = False  # true: offer the renderer though this machine cannot run it; its workers can

    # Prices that differ from the catalogue's, for a second of output: '{"480P": 6, "580P": 9, "720P": 12.5}'
    credits_per_second: dict[Resolution, Annotated[Decimal, Field(ge=0, decimal_places=4)]] = {}
    puppet_fallback: bool = True  # false: refuse `auto` where there is no GPU
    attempts_max: int = 3  # of one step of one task when the child process dies, and of a task when its worker does

    creates_per_minute: int = Field(120, ge=1)  # of one account, unless the operator gave it a limit of its own
    tasks_active_max: int = Field(100, ge=1)  # of one account, waiting or running
    reads_per_minute: int = Field(1200, ge=1)  # of one key, at one API process
    event_streams_max: int = Field(200, ge=1)  # of one account, open at once at one API process
    task_hours_max: float = Field(24, gt=0)  # from create to settled; then the task fails
    media_days: float = Field(7, gt=0)  # results and previews, from the task's end
    uploads_days: float = Field(2, gt=0)
    rows_days: float = Field(90, gt=0)  # of a task that is over; the ledger and the usage stay
    worker_tasks_max: int = Field(1, ge=0)  # that a worker makes at once, the same for all; 0: this one makes none
    heartbeat_seconds: float = Field(5, gt=0)
    takeover_seconds: float = Field(30, gt=0)  # a worker silent for so long has its tasks taken over
    callback_tries_max: int = Field(8, ge=1)
    callback_retry_seconds: float = Field(10, gt=0)  # to the second try; each further wait is 4.3 times the one before
    callback_seconds_max: float = Field(15, gt=0)  # of one try
    database_connections_max: int = Field(12, ge=2)  # of one process
    sign_in_link_minutes: float = Field(60, gt=0)
    session_hours: float = Field(168, gt=0)  # of somebody signed in at the console

    # Signing in through an identity provider (OpenID Connect); off without an issuer.
    oidc_issuer: str = ""  # https://…, as its tokens name it
    oidc_client_id: str = ""
    oidc_client_secret: str = Field("", repr=False)  # empty: a public client
    oidc_name: str = "single sign-on"  # what the button says
    oidc_scopes: str = "openid email profile"
    oidc_domains: str = ""  # of verified e-mail addresses, separated by commas; empty: whoever the provider knows
    oidc_role_claim: str = ""  # such as groups, or realm_access.roles; empty: nobody becomes operator this way
    oidc_operator_role: str = "operator"  # who has it there is an operator here
    oidc_credits: Decimal = Field(Decimal(0), ge=0, decimal_places=4)  # of an account at its first sign-in
    oidc_allow: str = ""  # networks, separated by commas, where the provider may be though they are not public

    # Bearer token of /metrics; without one it answers only while the service is on loopback.
    metrics_token: str = Field("", repr=False)

    @property
    def base_url(self) -> str:
        """Where clients reach this installation, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def bucket(self) -> str:
        """The address of the bucket that files are kept in; empty where they lie in a folder."""
        return "" if Path(self.files).is_absolute() else self.files

    @property
    def files_folder(self) -> Path:
        """Where files lie without a bucket."""
        return Path(self.files) if Path(self.files).is_absolute() else self.data / "files"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
