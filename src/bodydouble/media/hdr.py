"""HDR video (HLG, PQ) as the sRGB view that networks and renderers see, and back into the source's signal.

Recommendation ITU-R BT.2100-2 defines both transfer functions. Light is relative: 1 is HDR reference white, 203 cd/m²
(report ITU-R BT.2408-7, table 1). The white of an sRGB picture is shown there, so a character keeps its appearance.
"""

import struct
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media.video_info import ColourTags, MasteringInfo

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

PQ_TAG, HLG_TAG = 16, 18
"""Transfer numbers of H.273: SMPTE ST 2084 and ARIB STD-B67."""
REFERENCE_WHITE_NITS = 203.0
PEAK_NITS = 1000.0
"""Nominal peak of an HLG display (BT.2100-2 table 5). Light above it is clipped in the view of a PQ video."""
PEAK = PEAK_NITS / REFERENCE_WHITE_NITS
HLG_GAMMA = 1.2
"""System gamma of a display with a peak of 1,000 cd/m² (BT.2100-2 table 5, note 5e)."""
HLG_A = 0.17883277
HLG_B, HLG_C = 1 - 4 * HLG_A, 0.5 - HLG_A * float(np.log(4 * HLG_A))
"""Constants of the HLG OETF (BT.2100-2 table 5)."""
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
PQ_NITS = 10_000.0
"""Constants of the PQ EOTF (BT.2100-2 table 4)."""
KNEE = 0.5
"""Light up to which the view shows it unchanged: above skin and mid tones, which reflect less than half of white."""
KNEE_BEND = 1 / (1 - KNEE) - 1 / (PEAK - KNEE)
"""Makes the view's curve end at ``PEAK``."""
D65 = (0.3127, 0.3290)
"""Chromaticity of the white of all three (BT.709-6, BT.2020-2 table 3; SMPTE EG 432-1)."""
BT709_PRIMARIES, BT2020_PRIMARIES, P3_PRIMARIES = 1, 9, 12
CHROMATICITIES = {
    BT709_PRIMARIES: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    BT2020_PRIMARIES: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    P3_PRIMARIES: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Primaries number of H.273 → x and y of red, green and blue (H.273 table 2); the white is D65."""
XY_STEPS, NITS_STEPS = 50_000, 10_000
"""Steps of a chromaticity coordinate and of one cd/m² in mastering metadata (SMPTE ST 2086)."""
STEPS = 1 << 16
"""Entries of the tables for 16-bit signals and for light."""


def is_hdr(colour: ColourTags) -> bool:
    """Whether the video is HLG or PQ."""
    return colour.transfer in (PQ_TAG, HLG_TAG)


@dataclass(frozen=True)
class HdrSignal:
    """Conversion between one kind of HDR signal and the view: R'G'B' with sRGB's primaries and transfer function."""

    transfer: int  # PQ_TAG or HLG_TAG
    primaries: int  # a key of CHROMATICITIES; others count as BT.2020

    def view_of(self, signal: NDArray[np.uint16]) -> Image:
        """The view (H, W, 3) of R'G'B' at 16 bits, full range."""
        light = cv2.LUT(signal, self._light)
        if self.transfer == HLG_TAG:  # scene light to display light: the OOTF
            gain = cv2.pow(cv2.transform(light, self._weights), HLG_GAMMA - 1)
            light = cv2.multiply(light, cv2.merge([gain] * 3), scale=PEAK)
        bt709 = np.asarray(cv2.transform(light, self._to_bt709), np.float32)
        return np.asarray(cv2.LUT(_steps(bt709 * np.float32(1 / PEAK)), _view_levels()), np.uint8)

    def signal_of(self, view: Image) -> Floats:
        """R'G'B' (H, W, 3), 0-1, of the view."""
        light = np.maximum(cv2.transform(cv2.LUT(view, _view_light()), self._from_bt709), 0) * np.float32(1 / PEAK)
        if self.transfer == HLG_TAG:  # display light to scene light
            luminance = np.maximum(cv2.transform(light, self._weights), np.float32(1e-9))
            light = cv2.multiply(light, cv2.merge([cv2.pow(luminance, (1 - HLG_GAMMA) / HLG_GAMMA)] * 3))
        return np.asarray(cv2.LUT(_steps(np.asarray(light, np.float32)), self._signal), np.float32)

    @cached_property
    def _light(self) -> Floats:
        """Light of each 16-bit signal: display light for PQ, scene light (0-1) for HLG."""
        signal = np.arange(STEPS) / (STEPS - 1)
        if self.transfer == PQ_TAG:
            return np.asarray(pq_nits(signal) / REFERENCE_WHITE_NITS, np.float32)
        return np.asarray(hlg_scene(signal), np.float32)

    @cached_property
    def _signal(self) -> Floats:
        """Signal 0-1 of each step of ``_steps``: of display light in shares of the peak for PQ, scene light for HLG."""
        share = (np.arange(STEPS) / (STEPS - 1)) ** 2
        signal = pq_signal(share * PEAK_NITS) if self.transfer == PQ_TAG else hlg_signal(share)
        return np.asarray(signal, np.float32)

    @cached_property
    def _to_xyz(self) -> NDArray[np.float64]:
        return _rgb_to_xyz(self.primaries if self.primaries in CHROMATICITIES else BT2020_PRIMARIES)

    @cached_property
    def _weights(self) -> Floats:
        """(1, 3) luminance of red, green and blue."""
        return self._to_xyz[1:2].astype(np.float32)

    @cached_property
    def _to_bt709(self) -> Floats:
        return (np.linalg.inv(_rgb_to_xyz(BT709_PRIMARIES)) @ self._to_xyz).astype(np.float32)

    @cached_property
    def _from_bt709(self) -> Floats:
        return (np.linalg.inv(self._to_xyz) @ _rgb_to_xyz(BT709_PRIMARIES)).astype(np.float32)


def mastering_of(frame: Any) -> MasteringInfo | None:
    """The metadata of a decoded frame; None if it has none.

    Layouts: AVMasteringDisplayMetadata (ten rationals, two flags) and AVContentLightMetadata of libavutil.
    """
    found = {data.type.name: bytes(data) for data in frame.side_data}
    display = light = None
    if raw := found.get("MASTERING_DISPLAY_METADATA"):
        *numbers, has_primaries, has_luminance = struct.unpack("<22i", raw[:88])
        if has_primaries and has_luminance and all(numbers[1::2]):
            red, green, blue, white = (
                ",".join(str(round(n * XY_STEPS / d)) for n, d in zip(pair[::2], pair[1::2], strict=True))
                for pair in (numbers[k : k + 4] for k in range(0, 16, 4))
            )
            least, most = (round(n * NITS_STEPS / d) for n, d in zip(numbers[16::2], numbers[17::2], strict=True))
            display = f"G({green})B({blue})R({red})WP({white})L({most},{least})"
    if raw := found.get("CONTENT_LIGHT_LEVEL"):
        most, mean = struct.unpack("<2I", raw[:8])
        light = (most, mean)
    return MasteringInfo(display=display, content_light=light) if display or light else None


def picture_in_view(picture: Image) -> Image:
    """An sRGB picture (H, W, 3) as it looks in an HDR video's view: its white is reference white, not the peak."""
    levels = np.rint(255 * srgb_signal(compressed(srgb_light(np.arange(256) / 255))))
    return np.take(levels.astype(np.uint8), picture)


def pq_nits(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in cd/m² of a PQ signal 0-1: the EOTF."""
    root = np.power(signal, 1 / PQ_M2)
    return PQ_NITS * np.power(np.maximum(root - PQ_C1, 0) / (PQ_C2 - PQ_C3 * root), 1 / PQ_M1)


def pq_signal(nits: NDArray[np.floating]) -> NDArray[np.floating]:
    """PQ signal 0-1 of light in cd/m²: the inverse EOTF."""
    power = np.power(np.clip(nits / PQ_NITS, 0, 1), PQ_M1)
    return np.power((PQ_C1 + PQ_C2 * power) / (1 + PQ_C3 * power), PQ_M2)


def hlg_scene(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scene light 0-1 of an HLG signal 0-1: the inverse OETF."""
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - HLG_C) / HLG_A) + HLG_B) / 12)


def hlg_signal(scene: NDArray[np.floating]) -> NDArray[np.floating]:
    """HLG signal 0-1 of scene light 0-1: the OETF."""
    bright = HLG_A * np.log(np.maximum(12 * scene - HLG_B, 1e-6)) + HLG_C
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def srgb_light(signal: NDArray[np.floating]) -> NDArray[np.floating]:
    """Light 0-1 of an sRGB signal 0-1 (IEC 61966-2-1)."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def srgb_signal(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """sRGB signal 0-1 of light 0-1."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(np.maximum(light, 0), 1 / 2.4) - 0.055)


def compressed(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Light 0-``PEAK`` compressed to 0-1: unchanged up to ``KNEE``, a hyperbola with the same slope above it."""
    above = np.maximum(light - KNEE, 0)
    return np.minimum(light, KNEE) + above / (1 + KNEE_BEND * above)


def expanded(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """The inverse of ``compressed``."""
    above = np.maximum(light - KNEE, 0)
    return np.minimum(light, KNEE) + above / (1 - KNEE_BEND * above)


def _steps(share: Floats) -> NDArray[np.uint16]:
    """Index into tables of light in shares of its maximum. Steps are even in the square root: dark ones are finer."""
    root = cv2.sqrt(np.clip(share, 0, 1))
    return np.asarray(root * np.float32(STEPS - 1) + np.float32(0.5), np.float32).astype(np.uint16)


@cache
def _view_levels() -> Image:
    """The view's level 0-255 of each step of light 0-``PEAK``."""
    light = PEAK * (np.arange(STEPS) / (STEPS - 1)) ** 2
    return np.rint(255 * srgb_signal(compressed(light))).astype(np.uint8)


@cache
def _view_light() -> Floats:
    """Light of each of the view's 256 levels."""
    return np.asarray(expanded(srgb_light(np.arange(256) / 255)), np.float32)


def _rgb_to_xyz(primaries: int) -> NDArray[np.float64]:
    """Linear RGB to CIE XYZ, white at Y = 1 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in CHROMATICITIES[primaries]]).T
    x, y = D65
    return np.asarray(columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y]), np.float64)
