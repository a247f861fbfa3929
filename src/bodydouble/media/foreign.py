"""Naming video files of formats that are not accepted, and what to do with them."""

TS_PACKET_BYTES = 188
"""Length of a transport stream packet (ISO/IEC 13818-1); each starts with ``TS_SYNC``."""
TS_SYNC = 0x47
M2TS_PREFIX_BYTES = 4
"""Bytes before each packet in files of AVCHD cameras."""
WEBP_ANIMATION_FLAG = 0x02
"""Bit of the flags in a WebP's VP8X chunk (RFC 9649, section 2.7)."""
REWRAP = "copy it into an MP4 without loss: ffmpeg -i FILE -c copy video.mp4"
CONVERT = "convert it to MP4: ffmpeg -i FILE video.mp4"
TRANSPORT_STREAM = ("an MPEG transport stream (TS, M2TS)", REWRAP)
ANIMATED_WEBP = ("an animated WebP", "convert it to a GIF or MP4")
FOREIGN_STARTS = {
    b"FLV": ("a Flash video (FLV)", REWRAP),
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ("a Windows Media file (WMV, ASF)", CONVERT),
    b"OggS": ("an Ogg file", CONVERT),
    b"\x00\x00\x01\xba": ("an MPEG program stream (MPG, VOB)", REWRAP),
    b"\x06\x0e\x2b\x34": ("an MXF file", CONVERT),
    b"\x00\x00\x00\x01": ("a raw H.264 or HEVC stream without times", REWRAP),
    b".RMF": ("a RealMedia file", CONVERT),
}
"""First bytes → what the file is, and the remedy."""


def foreign_video(head: bytes) -> tuple[str, str] | None:
    """Name and remedy of a file that begins with ``head`` (at least 512 bytes, if it has them); None if unknown."""
    for prefix in (0, M2TS_PREFIX_BYTES):
        step = TS_PACKET_BYTES + prefix
        if len(head) > prefix + step and head[prefix] == head[prefix + step] == TS_SYNC:
            return TRANSPORT_STREAM
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and head[20] & WEBP_ANIMATION_FLAG:
        return ANIMATED_WEBP
    return next((named for start, named in FOREIGN_STARTS.items() if head.startswith(start)), None)
