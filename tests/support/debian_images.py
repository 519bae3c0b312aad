"""Images like those that docs/deploy/ starts from, made of Debian's packages where no image registry is in reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.commands import require_tool
from tests.support.docker import docker_output
from tests.support.guard import REPOSITORY

_PACKAGES = "ca-certificates,python3-minimal,python3-pip,postgresql"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_DEBIAN = "projrun-tests-debian"
PYTHON, POSTGRES = "projrun-tests-python", "projrun-tests-postgres"

_PYTHON_FILE = f"""\
FROM {_DEBIAN}
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY ca-certificates.crt {_CERTIFICATES}
COPY *.whl /wheels/
RUN rm /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s python3 /usr/bin/python \\
    && printf '[global]\\ncert = {_CERTIFICATES}\\nfind-links = /wheels\\n[install]\\nignore-installed = true\\n' \\
    > /etc/pip.conf
"""
_POSTGRES_FILE = f"""\
FROM {_DEBIAN}
RUN ln -s /usr/lib/postgresql/*/bin /postgresql
ENV PATH=/postgresql:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY entry.sh /entry.sh
ENTRYPOINT ["sh", "/entry.sh"]
"""
_POSTGRES_ENTRY = """\
# What the official image does with its variables.
set -e
data=/var/lib/postgresql/data
chown postgres "$data"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -e "$data/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  as_postgres initdb --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile=/tmp/password --no-sync "$data"
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  as_postgres pg_ctl -D "$data" -o "-c listen_addresses=" -w start
  PGPASSWORD=$POSTGRES_PASSWORD createdb --host /var/run/postgresql --username "$POSTGRES_USER" "$POSTGRES_DB"
  as_postgres pg_ctl -D "$data" -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$data" -c 'listen_addresses=*'
"""


def make_images(address: str, folder: Path) -> None:
    """PYTHON, whose pip also finds a wheel of this projrun, and POSTGRES, in the daemon at `address`."""
    if not docker_output(address, "images", "--quiet", _DEBIAN):
        _import_debian(address, folder / "root")
    python, postgres = folder / "python", folder / "postgres"
    for place, text in ((python, _PYTHON_FILE), (postgres, _POSTGRES_FILE)):
        place.mkdir()
        (place / "Dockerfile").write_text(text, encoding="utf-8")
    (python / _CERTIFICATES.name).write_bytes(_CERTIFICATES.read_bytes())
    wheel = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(python),
        str(REPOSITORY),
    ]
    subprocess.run(wheel, check=True)
    (postgres / "entry.sh").write_text(_POSTGRES_ENTRY, encoding="utf-8")
    docker_output(address, "build", "--quiet", "--tag", PYTHON, str(python))
    docker_output(address, "build", "--quiet", "--tag", POSTGRES, str(postgres))


def _import_debian(address: str, root: Path) -> None:
    command = [
        require_tool("debootstrap"),
        "--variant=minbase",
        f"--include={_PACKAGES}",
        "stable",
        str(root),
    ]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as archive:
        imported = ["docker", "--host", address, "import", "-", _DEBIAN]
        subprocess.run(imported, stdin=archive.stdout, stdout=subprocess.DEVNULL, check=True)
