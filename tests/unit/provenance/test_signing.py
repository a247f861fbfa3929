"""Signing of results, and reading what a file's manifest says."""

import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from bodydouble.provenance.authority import AUTHORITY, AUTHORITY_KEY, issue_signer, make_authority
from bodydouble.provenance.foreign_texts import TEXT_CHARACTERS_MAX
from bodydouble.provenance.manifest import PRODUCTION, Production
from bodydouble.provenance.options import SigningOptions, signer_file
from bodydouble.provenance.reading import ENTRIES_MAX, read_manifest
from bodydouble.provenance.signer import SigningCommand, make_signer, read_credentials
from bodydouble.provenance.signing import SIDECAR_SUFFIX, sign_result
from bodydouble.tasks.digests import digest_of
from bodydouble.tasks.errors import SigningFailed
from second_reader import UNTRUSTED, second_opinion
from small_clips import CONTAINERS, write_small_clip
from timestamp_authority import timestamp_authority


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The folder of a local authority."""
    make_authority(tmp_path / "provenance", "Example")
    return tmp_path / "provenance"


@pytest.fixture
def options(authority: Path) -> SigningOptions:
    """Signs with the local authority."""
    return SigningOptions(certificate=signer_file(authority))


def production(folder: Path, video: Path, **changes: object) -> Production:
    """How a test's result was made; its picture is made here."""
    image = folder / "picture.png"
    Image.new("RGB", (64, 64), (200, 10, 10)).save(image)
    made: dict[str, object] = {
        "video": video,
        "image": image,
        "moves_picture": False,
        "renderer": "wan",
        "trained_pixels": True,
        "networks": ("network 1",),
        "task_id": "abc",
    }
    return Production(**made | changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_result_of_every_container_is_valid_with_an_untrusted_signer(tmp_path, options, container):
    """The manifest names both inputs, the source type, the task, and the digest of the file before signing."""
    video, unsigned = write_small_clip(tmp_path / f"source.{container}"), write_small_clip(tmp_path / "unsigned.mp4")
    signed = sign_result(unsigned, tmp_path / "result.mp4", production(tmp_path, video), options)
    manifest = read_manifest(tmp_path / "result.mp4")
    assert manifest is not None
    assert (manifest.state, manifest.signer, manifest.problems) == ("valid", "Example", ())
    assert manifest.source_types == ("compositeWithTrainedAlgorithmicMedia",)
    assert [(part.relationship, part.signed) for part in manifest.ingredients] == [
        ("parentOf", False),
        ("componentOf", False),
    ]
    assert manifest.production["task"] == "abc"
    assert manifest.production["unsigned_sha256"] == signed.unsigned_sha256 == digest_of(unsigned)
    with c2pa.Reader(tmp_path / "result.mp4") as reader:
        assert reader.get_validation_state() == "Valid"
    second = second_opinion(tmp_path / "result.mp4")
    assert (second.integrity, second.failures) == ("valid", UNTRUSTED)
    assert second.ingredients == (("driving video", False), ("reference image", False))


def test_an_input_with_a_manifest_becomes_an_ingredient_and_is_reported(tmp_path, options):
    """The result keeps the input's own manifest, and its report says who signed the input."""
    unsigned = write_small_clip(tmp_path / "unsigned.mp4")
    sign_result(unsigned, tmp_path / "first.mp4", production(tmp_path, unsigned), options)
    again = sign_result(unsigned, tmp_path / "second.mp4", production(tmp_path, tmp_path / "first.mp4"), options)
    manifest = read_manifest(tmp_path / "second.mp4")
    assert manifest is not None
    assert manifest.state == "valid"
    assert [part.signed for part in manifest.ingredients] == [True, False]
    second = second_opinion(tmp_path / "second.mp4")
    assert (second.integrity, second.failures) == ("valid", UNTRUSTED)
    assert second.ingredients == (("driving video", True), ("reference image", False))
    assert "ingredient.manifest.validated" in second.passed
    video = again.inputs["video"]
    assert (video["state"], video["signer"], video["generated"]) == ("valid", "Example", True)
    assert video["marks"] == ["c2pa"]
    assert list(again.inputs) == ["video"]


def test_texts_of_a_foreign_manifest_are_short_and_plain(tmp_path, options):
    """A result can be stored whatever its input's manifest says: no control characters, limited lengths and counts."""
    picture, signed = tmp_path / "picture.png", tmp_path / "signed.png"
    Image.new("RGB", (32, 32)).save(picture)
    actions = [
        {"action": "c2pa.created" if n == 0 else "c2pa.edited", "digitalSourceType": f"http://example.org/{name}"}
        for n, name in enumerate([*(f"kind{n}" for n in range(99)), "trainedAlgorithmicMedia"])
    ]
    manifest = {
        "claim_generator_info": [{"name": "ev\0il" + "G" * 9000, "version": "1"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": PRODUCTION, "data": {"task": "a\0b"}},
        ],
    }
    signer = make_signer(read_credentials(options), SigningCommand(options.command), "")
    with c2pa.Builder(json.dumps(manifest)) as builder, picture.open("rb") as source, signed.open("w+b") as target:
        builder.sign(signer, "image/png", source, target)
    read = read_manifest(signed)
    assert read is not None
    assert read.generator.startswith("evilG")
    assert len(read.generator) <= TEXT_CHARACTERS_MAX + 2
    assert (len(read.source_types), read.is_generated) == (ENTRIES_MAX, True)
    assert read.production == {"task": "ab"}


def test_one_flipped_byte_is_detected(tmp_path, options):
    """A file that changed after signing is invalid, and so is one whose manifest is damaged."""
    unsigned, result = write_small_clip(tmp_path / "unsigned.mp4"), tmp_path / "result.mp4"
    sign_result(unsigned, result, production(tmp_path, unsigned), options)
    whole = result.read_bytes()
    changed = bytearray(whole)
    changed[whole.rindex(b"mdat") + 200] ^= 1
    result.write_bytes(changed)
    second = second_opinion(result)
    assert (second.integrity, second.failures) == ("invalid", ("assertion.bmffHash.mismatch", *UNTRUSTED))
    for place in (whole.rindex(b"mdat") + 200, whole.index(b"c2pa.signature") + 200):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        result.write_bytes(damaged)
        manifest = read_manifest(result)
        assert manifest is not None
        assert manifest.state == "invalid"
        assert manifest.problems


def test_a_verifier_who_trusts_the_authority_trusts_its_results(tmp_path, options, authority):
    """With the published root certificate the state is trusted, also after a rotation."""
    unsigned, result = write_small_clip(tmp_path / "unsigned.mp4"), tmp_path / "result.mp4"
    root = (authority / AUTHORITY).read_text()
    before = signer_file(authority).read_text()
    for _ in range(2):
        sign_result(unsigned, result, production(tmp_path, unsigned), options)
        manifest = read_manifest(result, root)
        assert manifest is not None
        assert manifest.state == "trusted"
        issue_signer(authority)
    assert signer_file(authority).read_text() != before


def test_keys_are_readable_by_their_owner_only(authority):
    """Both key files have mode 0600; an authority that exists is kept."""
    for path in (signer_file(authority), authority / AUTHORITY_KEY):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = signer_file(authority).read_text()
    make_authority(authority, "Another")
    assert signer_file(authority).read_text() == before


def test_an_external_command_signs(tmp_path, options):
    """A command that gets the bytes on standard input replaces the key; its failure is told with its words."""
    program = tmp_path / "sign.py"
    program.write_text(
        "import re, sys\n"
        "from cryptography.hazmat.primitives import hashes, serialization\n"
        "from cryptography.hazmat.primitives.asymmetric import ec\n"
        "text = open(sys.argv[1]).read()\n"
        "key = serialization.load_pem_private_key(text[: text.index('-----BEGIN CERT')].encode(), None)\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))\n"
    )
    unsigned, result = write_small_clip(tmp_path / "unsigned.mp4"), tmp_path / "result.mp4"
    signs = SigningOptions(
        certificate=options.certificate, command=(sys.executable, str(program), str(options.certificate))
    )
    sign_result(unsigned, result, production(tmp_path, unsigned), SigningOptions.from_json(signs.to_json()))
    manifest = read_manifest(result)
    assert manifest is not None
    assert manifest.state == "valid"
    fails = SigningOptions(certificate=options.certificate, command=(sys.executable, "-c", "exit('no such token')"))
    with pytest.raises(SigningFailed, match="no such token"):
        sign_result(unsigned, tmp_path / "other.mp4", production(tmp_path, unsigned), fails)
    assert not (tmp_path / "other.mp4").exists()


def test_a_lossless_result_has_its_manifest_beside_it(tmp_path, options):
    """Matroska cannot hold a manifest: the file stays as it is, and a .c2pa file describes it."""
    unsigned, video = write_small_clip(tmp_path / "result.mkv"), write_small_clip(tmp_path / "source.mp4")
    before = unsigned.read_bytes()
    sign_result(unsigned, unsigned, production(tmp_path, video), options)
    assert unsigned.read_bytes() == before
    assert unsigned.with_suffix(SIDECAR_SUFFIX).stat().st_size > 1000


def test_a_timestamp_of_an_authority_is_in_the_manifest(tmp_path, options):
    """Both readers see it; the result says that it has one."""
    unsigned, result = write_small_clip(tmp_path / "unsigned.mp4"), tmp_path / "result.mp4"
    with timestamp_authority(tmp_path / "timestamps") as url:
        timestamped = SigningOptions(certificate=options.certificate, timestamp_url=url)
        signed = sign_result(unsigned, result, production(tmp_path, unsigned), timestamped)
    manifest, second = read_manifest(result), second_opinion(result)
    assert signed.timestamp
    assert manifest is not None
    assert manifest.state == "valid"
    assert abs(datetime.fromisoformat(manifest.signed_at) - datetime.now(UTC)) < timedelta(days=1)
    assert (second.integrity, second.failures) == ("valid", UNTRUSTED)
    assert "timeStamp.untrusted" in second.notes, "found, by an authority that it does not know"


def test_no_timestamp_server_does_not_stop_a_result(tmp_path, options):
    """The result is signed without a timestamp and says so."""
    unsigned = write_small_clip(tmp_path / "unsigned.mp4")
    unreachable = SigningOptions(certificate=options.certificate, timestamp_url="http://127.0.0.1:9/")
    signed = sign_result(unsigned, tmp_path / "result.mp4", production(tmp_path, unsigned), unreachable)
    manifest = read_manifest(tmp_path / "result.mp4")
    assert manifest is not None
    assert (signed.timestamp, manifest.state, manifest.signed_at) == (False, "valid", "")


@pytest.mark.parametrize(
    ("moves", "trained", "term"),
    [
        (False, True, "compositeWithTrainedAlgorithmicMedia"),
        (True, True, "trainedAlgorithmicMedia"),
        (False, False, "compositeSynthetic"),
    ],
)
def test_the_source_type_follows_from_how_pixels_are_drawn(tmp_path, options, moves, trained, term):
    """A moved picture is generated as a whole; without a trained network the result is a synthetic composite."""
    unsigned = write_small_clip(tmp_path / "unsigned.mp4")
    made = production(tmp_path, unsigned, moves_picture=moves, trained_pixels=trained)
    sign_result(unsigned, tmp_path / "result.mp4", made, options)
    manifest = read_manifest(tmp_path / "result.mp4")
    assert manifest is not None
    assert (manifest.state, manifest.source_types, manifest.is_generated) == ("valid", (term,), True)


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_unusable_certificate_is_named(tmp_path, text):
    """The message names the setting and the file, and has no key in it."""
    unsigned = write_small_clip(tmp_path / "unsigned.mp4")
    (tmp_path / "chain.pem").write_text(text)
    with pytest.raises(SigningFailed, match=r"provenance_certificate: .*chain\.pem"):
        sign_result(
            unsigned,
            tmp_path / "result.mp4",
            production(tmp_path, unsigned),
            SigningOptions(certificate=tmp_path / "chain.pem"),
        )
