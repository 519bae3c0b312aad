"""Signed addresses, by which clients send files to an object store and fetch them without the server between."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from projrun.errors import InvalidValueError, NotFoundError
from projrun.tracking.artifacts.media import disposition_of, media_type_of
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.artifacts.remote_transfers import RemoteTransfers
from projrun.tracking.artifacts.repository import ArtifactRepository

SIGNED_SCHEMES = frozenset({"s3", "s3a"})
"""Of the object stores whose addresses can be signed."""
MOST_PARTS = 10_000
"""Parts of an upload, as S3 has it."""
_PART_SECONDS = 3600
"""How long the address of a part is valid, as with boto3."""


class Upload(NamedTuple):
    """An upload in parts that has begun."""

    upload_id: str
    addresses: tuple[str, ...]
    """Of the parts, in their order."""


class Part(NamedTuple):
    """A part that has been sent."""

    number: int
    etag: str


class Signed(NamedTuple):
    """An address, and the headers that must be sent with the request."""

    address: str
    headers: dict[str, str]
    size: int | None = None


class ArtifactSignatures(Protocol):
    """What a repository whose files others can reach by a signed address offers."""

    def begin(self, path: str, parts: int) -> Upload: ...
    def finish(self, path: str, upload_id: str, parts: Sequence[Part]) -> None: ...
    def abort(self, path: str, upload_id: str) -> None: ...
    def download(self, path: str, seconds: int) -> Signed:
        """Raises NotFoundError for a file that is not there."""
        ...

    def upload(self, path: str, seconds: int) -> Signed: ...


def signatures_of(repository: ArtifactRepository) -> ArtifactSignatures | None:
    """The signatures of a repository; None where it has none."""
    if isinstance(repository, RemoteArtifacts) and SIGNED_SCHEMES & {*_protocols(repository)}:
        return S3Signatures(repository)
    return None


def _protocols(repository: RemoteArtifacts) -> tuple[str, ...]:
    protocol = repository.filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


class S3Signatures:
    """Signatures of S3 and what speaks as it does."""

    def __init__(self, artifacts: RemoteArtifacts) -> None:
        self._artifacts = artifacts

    def begin(self, path: str, parts: int) -> Upload:
        """Begin an upload. Raises InvalidValueError for a number of parts that S3 does not take."""
        if not 1 <= parts <= MOST_PARTS:
            raise InvalidValueError(f"an upload has 1 to {MOST_PARTS} parts, not {parts}")
        checked = checked_new_path(path)
        place = self._artifacts.place(checked)

        def sign(upload_id: str) -> tuple[str, ...]:
            url = self._artifacts.filesystem.url
            return tuple(
                str(
                    url(
                        place,
                        expires=_PART_SECONDS,
                        client_method="upload_part",
                        PartNumber=number,
                        UploadId=upload_id,
                    )
                )
                for number in range(1, parts + 1)
            )

        with self._artifacts.failures("take", path):
            upload_id = str(self._call("create_multipart_upload", checked)["UploadId"])
            return Upload(upload_id, self._artifacts.bounded(lambda: sign(upload_id), parts * 1024))

    def finish(self, path: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Join the parts to a file."""
        joined = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with self._artifacts.failures("take", path):
            self._call(
                "complete_multipart_upload",
                checked_new_path(path),
                UploadId=upload_id,
                MultipartUpload={"Parts": joined},
            )

    def abort(self, path: str, upload_id: str) -> None:
        """Forget the parts."""
        with self._artifacts.failures("take", path):
            self._call("abort_multipart_upload", checked_new_path(path), UploadId=upload_id)

    def download(self, path: str, seconds: int) -> Signed:
        """An address that a browser may open, too: it saves the file."""
        checked = checked_file_path(path)
        file = RemoteTransfers(self._artifacts).open(checked)
        shown = disposition_of(posixpath.basename(checked))
        return Signed(
            self._sign(checked, seconds, "get_object", ResponseContentDisposition=shown), {}, file.size
        )

    def upload(self, path: str, seconds: int) -> Signed:
        """An address that takes one file."""
        checked = checked_new_path(path)
        kind = media_type_of(checked)
        return Signed(self._sign(checked, seconds, "put_object", ContentType=kind), {"Content-Type": kind})

    def _sign(self, path: str, seconds: int, method: str, **parameters: object) -> str:
        place = self._artifacts.place(path)
        with self._artifacts.failures("give", path):
            return str(
                self._artifacts.bounded(
                    lambda: self._artifacts.filesystem.url(
                        place, expires=seconds, client_method=method, **parameters
                    )
                )
            )

    def _call(self, method: str, path: str, **parameters: object) -> dict[str, object]:
        filesystem = self._artifacts.filesystem
        bucket, key, _ = filesystem.split_path(self._artifacts.place(path))
        try:
            found: dict[str, object] = self._artifacts.bounded(
                lambda: filesystem.call_s3(method, Bucket=bucket, Key=key, **parameters)
            )
        except FileNotFoundError:  # s3fs's word for NoSuchUpload, too
            raise NotFoundError(f"there is no such upload of {path!r}, or no such bucket") from None
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise InvalidValueError(f"the parts of the upload of {path!r} do not fit: {error}") from None
            raise
        return found
