"""How the page and its files are sent."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from projrun.server.app import ROUTES
from projrun.server.page.answering import PROGRAMS
from projrun.server.page.files import FOLDER, Files
from projrun.server.program.configuration import Program
from tests.server.program.asking import Answer, Asked, answers


def test_the_page_is_at_all_of_its_paths(database: Path) -> None:
    paths = [
        "/",
        "/experiments",
        "/experiments/1/runs/2",
        "/compare?runs=a,b",
        "/models/m/versions/1",
        "/signin",
    ]
    found = answers(database, Program(), *(Asked("GET", path) for path in paths))
    assert [(answer.status, answer.headers["content-type"]) for answer in found] == [
        (200, "text/html; charset=utf-8")
    ] * len(paths)
    other, posted = answers(database, Program(), Asked("GET", "/experiment"), Asked("POST", "/experiments"))
    assert (other.status, posted.status) == (404, 404)


@pytest.mark.parametrize(
    ("prefix", "path", "root"),
    [
        ("", "/", "./"),
        ("", "/experiments", "./"),
        ("", "/experiments/1", "../"),
        ("", "/experiments/1/runs/2", "../../../"),
        ("", "/models/a%2Fb/versions/1", "../../../"),
        ("/ml", "/ml/experiments/1", "/ml/"),
        ("/ml", "/ml", "/ml/"),
        ("/ml", "/experiments", "/ml/"),
    ],
)
def test_its_files_are_found_from_everywhere(database: Path, prefix: str, path: str, root: str) -> None:
    (page,) = answers(database, Program(prefix=prefix), Asked("GET", path))
    script = re.search(r'<script type="module" src="([^"]+)">', page.body.decode())
    assert script
    assert script[1] == f"{root}page/{Files().digest}/app.js"


def test_a_browser_at_an_unknown_path_is_shown_the_page(database: Path) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    shown, asked, program = answers(
        database,
        Program(),
        Asked("GET", "/nonsense/1", headers=browser),
        Asked("GET", "/api/2.0/mlflow/nonsense", headers=browser),
        Asked("GET", "/nonsense/1", headers={"accept": "*/*"}),
    )
    assert (shown.status, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b'src="../page/' in shown.body
    for answer in (asked, program):
        assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert {path.split("/")[1] for route in ROUTES for path in route.paths} | {"metrics"} == PROGRAMS


def test_a_view_begins_to_load_with_the_page() -> None:
    files = Files()
    paths = ("/", "/experiments/1", "/experiments/1/", "/runs/1", "/models/a%2Fb", "/other")
    assert [files.view(path) for path in paths] == [
        "views/experiments/view.js",
        "views/runs/view.js",
        "views/runs/view.js",
        "views/run/by_id.js",
        "views/models/model.js",
        None,
    ]


def test_a_page_names_the_modules_and_sheets_of_its_view(database: Path) -> None:
    (page,) = answers(database, Program(), Asked("GET", "/experiments/1"))
    place = f"../page/{Files().digest}"
    found = re.findall(r'<link rel="(\w+)"(?: as="style")? href="([^"]+)">', page.body.decode())
    assert ("modulepreload", f"{place}/views/runs/view.js") in found
    assert ("modulepreload", f"{place}/ui/grid.js") in found
    assert ("preload", f"{place}/views/runs/runs.css") in found
    assert len(found) == len(set(found))
    assert not any("views/models" in address for _, address in found)


def test_nothing_but_the_pages_own_scripts_and_styles_is_allowed(database: Path) -> None:
    (page,) = answers(database, Program(), Asked("GET", "/experiments"))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert b"<script>" not in page.body
    assert b"style=" not in page.body


def test_files_are_kept_by_browsers_and_compressed(database: Path) -> None:
    address = f"/page/{Files().digest}/app.js"
    plain, zipped = answers(
        database,
        Program(),
        Asked("GET", address),
        Asked("GET", address, headers={"accept-encoding": "gzip, br"}),
    )
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(zipped.body) == plain.body == (FOLDER / "app.js").read_bytes()
    for path, answer in ((address, plain), ("/experiments", _page(database))):
        (again,) = answers(
            database, Program(), Asked("GET", path, headers={"if-none-match": answer.headers["etag"]})
        )
        assert (again.status, again.body) == (304, b"")


def _page(database: Path) -> Answer:
    (page,) = answers(database, Program(), Asked("GET", "/experiments"))
    assert page.headers["cache-control"] == "no-cache"
    return page


@pytest.mark.parametrize(
    "path",
    [
        "{digest}/nothing.js",
        "0123456789abcdef/app.js",
        "{digest}/vendor/LICENSE-htm",
        "{digest}/../__init__.py",
        "",
    ],
)
def test_other_files_are_not_found(database: Path, path: str) -> None:
    (answer,) = answers(database, Program(), Asked("GET", f"/page/{path.format(digest=Files().digest)}"))
    assert answer.status == 404


def test_another_host_sees_no_page(database: Path) -> None:
    (answer,) = answers(database, Program(), Asked("GET", "/experiments", headers={"host": "evil.example"}))
    assert answer.status == 403


def test_every_file_that_is_imported_exists() -> None:
    files = Files()
    missing = {
        (module, target)
        for module, file in files.files.items()
        if module.endswith(".js")
        for target in re.findall(r"""import\(\s*["']\./([^"']+)""", file.body.decode())
        if f"{module.rpartition('/')[0]}/{target}" not in files.files
    }
    assert missing == set()
    modules = {module for module in files.files if module.endswith(".js")}
    assert {other for module in modules for other in files.imported(module)} <= modules


def test_the_modules_of_the_page_are_short() -> None:
    lengths = {
        path.relative_to(FOLDER): len(path.read_text(encoding="utf-8").splitlines())
        for path in FOLDER.rglob("*.js")
        if "vendor" not in path.parts
    }
    assert lengths
    assert {path: length for path, length in lengths.items() if length >= 400} == {}
    unchecked = [
        path
        for path in lengths
        if not (FOLDER / path).read_text(encoding="utf-8").startswith("// @ts-check\n/** ")
        and not (FOLDER / path).read_text(encoding="utf-8").startswith("// @ts-check\n/**\n")
    ]
    assert unchecked == []
