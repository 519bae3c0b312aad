"""An archive in an object store, through fsspec, which comes with the extras `s3`, `gcs` and `azure`."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.credentials import redact_uri, without_queries
from projrun.errors import SourceError, TrackingError
from projrun.http.object_stores import open_filesystem
from projrun.sources.archives.known import Known
from projrun.sources.archives.remote import Sink

_CHUNK = 1024 * 1024


class StoredArchive:
    """A URI of fsspec's, such as `s3://bucket/x.zip`."""

    def __init__(self, uri: str, environ: Mapping[str, str]) -> None:
        self.shown = redact_uri(uri)
        self.identity = uri
        self.name = uri
        self._environ = environ

    def obtain(self, sink: Sink, known: Known | None) -> Known:
        """See `RemoteArchive`. fsspec's key of the object's properties (its ETag, its date) shows a change."""
        try:
            filesystem, path = open_filesystem(self.identity, self._environ)
        except TrackingError as error:
            raise SourceError(
                f"{self.shown} cannot be downloaded: {error.message}", hint=error.hint, detail=error.detail
            ) from None
        try:
            filesystem.invalidate_cache()
            key = str(filesystem.ukey(path))
            if known is not None and known.etag == key:
                return known
            with filesystem.open(path, "rb") as content:
                while chunk := content.read(_CHUNK):
                    sink.write(chunk)
        except SourceError:
            raise
        except Exception as error:  # fsspec's libraries raise what they like
            raise self._failure(error) from None
        return Known(sink.digest, key)

    def _failure(self, error: Exception) -> SourceError:
        if isinstance(error, FileNotFoundError):
            return SourceError(f"there is no {self.shown}", hint="check the bucket's name and the path in it")
        return SourceError(
            f"{self.shown} cannot be downloaded: {type(error).__name__}",
            hint="check the credentials and the bucket's name",
            detail=without_queries(str(error)),
        )
