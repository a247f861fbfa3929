"""Uploads and downloads."""

import io
import os
from pathlib import Path

import httpx
import pytest

from bodydouble_client import ConnectionFailed, InvalidRequest, Result, TransferFailed
from bodydouble_client.asynchronous.uploads import PIECE_BYTES
from bodydouble_client.media import CHUNK_BYTES, LocalMedia, sniff
from fake_service import URL, Body, bad, good, task_data

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
MP4 = b"\0\0\0\x20ftypisom" + bytes(100)
PLACE, STORE = "files/upload-url", "/store/1"


def _place(number: int) -> httpx.Response:
    return good({"presigned_url": f"{URL}/store/{number}?sig=put", "file_url": f"{URL}/files/{number}"})


@pytest.fixture
def store(service):
    """A service with a file store that accepts uploads."""
    return service.on(PLACE, _place(1)).on(STORE, httpx.Response(200))


def _pipe(content: bytes) -> io.BufferedReader:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return os.fdopen(reading, "rb")


@pytest.mark.parametrize("form", ["path", "text", "bytes", "file", "pipe", "middle"])
def test_every_form_of_a_local_file_is_uploaded(form, face, store, tmp_path):
    """A path, its text, bytes, an open file (from its position) and a pipe arrive unchanged."""
    path = tmp_path / "portrait.png"
    path.write_bytes(b"skipped" + PNG if form == "middle" else PNG)
    with path.open("rb") as file, _pipe(PNG) as pipe:
        file.seek(7 if form == "middle" else 0)
        source = {"path": path, "text": str(path), "bytes": PNG, "pipe": pipe}.get(form, file)
        assert face.do(lambda c: c.upload(source)) == f"{URL}/files/1"
    asked, put = store.requests
    assert dict(asked.url.params) == {"content_type": "image/png", "ext": ".png"}
    assert (put.method, put.read(), str(put.url)) == ("PUT", PNG, f"{URL}/store/1?sig=put")
    assert put.headers["content-type"] == "image/png"
    assert put.headers["content-length"] == str(len(PNG))
    assert put.headers["host"] == "service.example"


def test_the_key_is_not_sent_to_the_file_store(face, store, tmp_path):
    """A presigned address is sufficient, and it may belong to another company's bucket."""
    face.do(lambda c: c.upload(PNG))
    assert "x-api-key" not in store.requests[1].headers


def test_local_files_of_a_task_are_uploaded_automatically(face, service, tmp_path):
    """The task refers to their new addresses; other addresses stay unchanged."""
    (tmp_path / "shot.mov").write_bytes(MP4)
    service.on(PLACE, _place(1), _place(2)).on(STORE, httpx.Response(200)).on("/store/2", httpx.Response(204))
    service.on("job/CreateTask", good({"task_id": "t-1"}))
    face.do(lambda c: c.submit(PNG, tmp_path / "shot.mov"))
    body = service.to("job/CreateTask")[0].read()
    assert f'"img_urls":["{URL}/files/1"],"video_urls":["{URL}/files/2"]'.encode() in body.replace(b": ", b":")
    assert [dict(r.url.params)["ext"] for r in service.to(PLACE)] == [".png", ".mp4"]
    service.requests.clear()
    face.do(lambda c: c.submit("data:image/png;base64,aGk=", "HTTPS://a.example/v.mp4"))
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "answer", [httpx.WriteError("reset"), httpx.ReadTimeout(""), httpx.Response(500), httpx.Response(503), bad(429)]
)
def test_an_upload_is_retried_with_another_address(answer, face, service):
    """The first address may be used up; the retry sends the file from its beginning."""
    service.on(PLACE, _place(1), _place(2)).on(STORE, answer).on("/store/2", httpx.Response(200))
    assert face.do(lambda c: c.upload(io.BytesIO(PNG))) == f"{URL}/files/2"
    assert service.to("/store/2")[0].read() == PNG


class PieceStore:
    """Accepts an upload in pieces; the requests with the numbers ``breaks`` fail halfway."""

    def __init__(self, *breaks: int) -> None:
        self.content, self.methods, self._breaks = bytearray(), list[str](), breaks

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.methods.append(request.method)
        assert request.headers["tus-resumable"] == "1.0.0"
        if request.method == "PATCH":
            assert request.headers["content-type"] == "application/offset+octet-stream"
            piece = request.content
            assert len(piece) == int(request.headers["content-length"]) <= PIECE_BYTES
            if int(request.headers["upload-offset"]) != len(self.content):
                return bad(409)
            broken = len(self.methods) in self._breaks
            self.content += piece[: len(piece) // 2] if broken else piece
            if broken:
                raise httpx.WriteError("reset")
        return httpx.Response(204, headers={"upload-offset": str(len(self.content))})


LARGE = MP4 + bytes(range(256)) * (2 * PIECE_BYTES // 256)


@pytest.fixture
def resumable(service):
    """A service that accepts uploads in pieces."""
    place = {"presigned_url": f"{URL}/store/1", "file_url": f"{URL}/files/1", "resumable_url": f"{URL}/pieces?sig=1"}
    return service.on(PLACE, good(place))


def test_a_large_upload_continues_after_a_break(face, resumable, tmp_path):
    """Only the missing bytes are sent again, and the whole file arrives."""
    pieces = PieceStore(2)
    resumable.on("/pieces", pieces)
    (tmp_path / "long.mp4").write_bytes(LARGE)
    assert face.do(lambda c: c.upload(tmp_path / "long.mp4")) == f"{URL}/files/1"
    assert bytes(pieces.content) == LARGE
    assert pieces.methods == ["PATCH", "PATCH", "HEAD", "PATCH"]
    assert dict(resumable.to(PLACE)[0].url.params)["size"] == str(len(LARGE))
    assert resumable.to(STORE) == []
    assert "x-api-key" not in resumable.to("/pieces")[0].headers


def test_a_lost_answer_is_requested_again(face, resumable):
    """If the last piece arrived and its answer did not, nothing is sent twice."""
    pieces = PieceStore()

    def answers(request: httpx.Request) -> httpx.Response:
        answer = pieces(request)
        if len(pieces.content) == len(LARGE) and request.method == "PATCH":
            raise httpx.ReadError("reset")
        return answer

    resumable.on("/pieces", answers)
    face.do(lambda c: c.upload(LARGE))
    assert pieces.methods == ["PATCH", "PATCH", "PATCH", "HEAD"]


def test_a_broken_connection_is_given_up(make, resumable):
    """A piece has ``max_retries`` retries; then the error names the request."""
    pieces = PieceStore(*range(1, 50))
    resumable.on("/pieces", pieces)
    with pytest.raises(ConnectionFailed, match=r"PATCH http://service\.example/pieces: no answer \(reset\)"):
        make(max_retries=2).do(lambda c: c.upload(LARGE))
    assert pieces.methods.count("PATCH") == 3


@pytest.mark.parametrize(("status", "tries"), [(403, 1), (503, 5)])
def test_a_refused_piece_is_explained(status, tries, face, resumable):
    """A temporary error is retried, a refusal is raised."""
    resumable.on("/pieces", bad(status, "This upload address has expired"))
    with pytest.raises(TransferFailed, match=r"upload of .* was refused: This upload address has expired"):
        face.do(lambda c: c.upload(LARGE))
    assert len(resumable.to("/pieces")) == tries


@pytest.mark.parametrize("answer", [{}, {"resumable_url": None}])
def test_without_support_for_pieces_the_file_is_sent_at_once(answer, face, service):
    """The hosted service and buckets get one PUT."""
    place = {"presigned_url": f"{URL}/store/1", "file_url": f"{URL}/files/1"}
    service.on(PLACE, good(place | answer)).on(STORE, httpx.Response(200))
    assert face.do(lambda c: c.upload(LARGE)) == f"{URL}/files/1"
    assert service.to(STORE)[0].read() == LARGE


def test_a_refused_upload_is_explained(face, service):
    """The service's message for a rejected file, the file store's for everything else."""
    service.on(PLACE, _place(1)).on(
        STORE, bad(422, "Wrong", errors=["body: the file is larger than 200 MB, which is the limit."])
    )
    with pytest.raises(InvalidRequest, match="larger than 200 MB"):
        face.do(lambda c: c.upload(MP4))
    service.on(STORE, httpx.Response(403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>"))
    with pytest.raises(TransferFailed, match="SignatureDoesNotMatch") as caught:
        face.do(lambda c: c.upload(MP4))
    assert caught.value.code == 403


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("nowhere.png", FileNotFoundError, "image: 'nowhere.png' is neither an existing file nor"),
        (Path("nowhere.png"), FileNotFoundError, "image"),
        (b"", ValueError, "image: .* is empty"),
        (b"once upon a time", ValueError, "not a picture or video"),
        (io.StringIO("text"), TypeError, "mode 'rb'"),
        (7, TypeError, "not int"),
    ],
)
def test_an_unusable_file_is_rejected_before_any_request(source, error, words, face, service):
    """Mistakes in the program are Python's own errors and name the argument."""
    with pytest.raises(error, match=words):
        face.do(lambda c: c.submit(source, "https://a.example/v.mp4"))
    assert service.requests == []


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(60), "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"BM" + bytes(60), "image/bmp"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
    ],
)
def test_content_types_are_recognised(head, kind):
    """Every accepted type is recognised by its first bytes."""
    assert sniff(head) == kind


def test_content_has_priority_over_the_name(tmp_path):
    """A JPEG called .png is a JPEG; the name decides only if the content does not."""
    (tmp_path / "a.png").write_bytes(b"\xff\xd8\xff\xe0" + bytes(60))
    (tmp_path / "b.MOV").write_bytes(b"\0\0\0\x08wide\0\0\0\x08mdat")
    with LocalMedia(tmp_path / "a.png", "image") as a, LocalMedia(tmp_path / "b.MOV", "video") as b:
        assert (a.content_type, a.extension) == ("image/jpeg", ".jpg")
        assert (b.content_type, b.extension) == ("video/quicktime", ".mov")


def test_a_file_is_sent_in_chunks(tmp_path):
    """Memory does not grow with the file, and the body can be read again for a retry."""
    (tmp_path / "long.mp4").write_bytes(MP4 + bytes(3 * CHUNK_BYTES))
    with LocalMedia(tmp_path / "long.mp4", "video") as media:
        body = media.body()
        sizes = [len(piece) for piece in body]
        assert sizes == [CHUNK_BYTES] * 3 + [len(MP4)]
        assert sum(len(piece) for piece in body) == media.size_bytes


@pytest.fixture
def result(face):
    """The result of the client under test, with one address."""
    return lambda: face.do(lambda c: c.task("t-1").wait())


@pytest.fixture
def done(service):
    """A service whose task is finished."""
    return service.on("job/TaskInfo", good(task_data("success")))


def test_a_result_is_downloaded(face, done, result, tmp_path):
    """To a file, which is replaced, or to a folder under the service's name; no other file remains."""
    done.on("/files/one.mp4", httpx.Response(200, stream=Body(b"one ", b"video")))
    (tmp_path / "mine.mp4").write_bytes(b"older")
    made = result()
    assert face.do(lambda c: made.download(tmp_path / "mine.mp4")) == tmp_path / "mine.mp4"
    assert face.do(lambda c: made.download(str(tmp_path))) == tmp_path / "one.mp4"
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == dict.fromkeys(("mine.mp4", "one.mp4"), b"one video")
    assert "x-api-key" not in done.to("/files/one.mp4")[0].headers


def test_a_download_is_complete_or_absent(make, done, tmp_path):
    """A broken connection leaves the old file unchanged and no partial one."""
    face = make(max_retries=2)
    done.on("/files/one.mp4", httpx.Response(200, stream=Body(b"one ", httpx.ReadError("reset"))))
    (tmp_path / "mine.mp4").write_bytes(b"older")
    made = face.do(lambda c: c.task("t-1").wait())
    with pytest.raises(ConnectionFailed, match="reset"):
        face.do(lambda c: made.download(tmp_path / "mine.mp4"))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"mine.mp4": b"older"}
    assert len(done.to("/files/one.mp4")) == 3


def test_a_broken_download_is_restarted(face, done, result, tmp_path):
    """The retry downloads the whole file."""
    broken = httpx.Response(200, stream=Body(b"one ", httpx.ReadError("reset")))
    done.on("/files/one.mp4", broken, httpx.Response(503), httpx.Response(200, content=b"one video"))
    made = result()
    assert face.do(lambda c: made.download(tmp_path / "a.mp4")).read_bytes() == b"one video"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_address_is_renewed(status, face, done, result, tmp_path):
    """A result that was kept for long is downloaded from the task's current address."""
    made = result()
    fresh = task_data("success")
    fresh["result"]["media_urls"] = [f"{URL}/files/fresh.mp4"]
    done.on("job/TaskInfo", good(fresh)).on("/files/one.mp4", httpx.Response(status))
    done.on("/files/fresh.mp4", httpx.Response(200, content=b"video"))
    assert face.do(lambda c: made.download(tmp_path / "a.mp4")).read_bytes() == b"video"


def test_deleted_media_raise_an_error(face, done, result, tmp_path):
    """The error has the refusal's status, and no file remains."""
    made = result()
    refusal = b'{"code":404,"message":"File not found","data":null}'
    done.on("/files/one.mp4", httpx.Response(404, stream=Body(refusal[:9], refusal[9:])))
    with pytest.raises(TransferFailed, match=r"download to a\.mp4 was refused: File not found") as caught:
        face.do(lambda c: made.download(tmp_path / "a.mp4"))
    assert caught.value.code == 404
    assert list(tmp_path.iterdir()) == []


def test_a_task_without_media_raises_an_error(face, done, tmp_path):
    """A successful task whose media expired raises TransferFailed and not IndexError."""
    kept = task_data("success")
    kept["result"]["media_urls"] = []
    done.on("job/TaskInfo", good(kept))
    old = face.do(lambda c: c.task(kept["task_id"]).wait())
    with pytest.raises(TransferFailed, match="no media any more") as caught:
        face.do(lambda c: old.download(tmp_path / "a.mp4"))
    assert (caught.value.code, list(tmp_path.iterdir())) == (404, [])


def test_a_missing_folder_raises_python_s_error(face, done, result, tmp_path):
    """FileNotFoundError, without retries."""
    made = result()
    done.on("/files/one.mp4", httpx.Response(200, content=b"video"))
    with pytest.raises(FileNotFoundError):
        face.do(lambda c: made.download(tmp_path / "nowhere" / "a.mp4"))
    assert len(done.to("/files/one.mp4")) == 1


def test_a_missing_file_of_a_result_is_an_index_error(face, done, result, tmp_path):
    """The result's class matches the client's kind; an index beyond the files is an IndexError."""
    made = result()
    assert isinstance(made, Result) == (type(face.client).__name__ == "Client")
    with pytest.raises(IndexError):
        face.do(lambda c: made.download(tmp_path, index=3))
