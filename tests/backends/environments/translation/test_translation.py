"""conda dependencies as requirements of PyPI: names, what is left out, what is missing, and the words for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from projrun.project.model import Location
from projrun_backends.environments.python.documents import Text
from projrun_backends.environments.translation import names
from projrun_backends.environments.translation.translation import (
    Translated,
    translate,
    translation_facts,
    translation_tag,
    translation_warning,
)


def translated(*dependencies: str) -> list[Translated]:
    return list(translate(Text(text, Location("conda.yaml", 1, 1)) for text in dependencies))


@pytest.mark.parametrize(
    ("dependency", "requirement"),
    [
        ("pytorch=1.13.1=py3.9_cuda11.7_cudnn8.5.0_0", "torch==1.13.1"),
        ("pytorch-cpu=1.1", "torch==1.1.*"),
        ("tensorflow-gpu==2.4.1", "tensorflow==2.4.1"),
        ("conda-forge::py-opencv=4.6.0", "opencv-python==4.6.0.*"),
        ("opencv 4.6.0 py39_0", "opencv-python==4.6.0.*"),
        ("py-xgboost", "xgboost"),
        ("matplotlib-base>=3.4", "matplotlib>=3.4"),
        ("msgpack-python", "msgpack"),
        ("pytables", "tables"),
        ("dask-core", "dask"),
        ("psycopg2", "psycopg2-binary"),
        ("python-graphviz", "graphviz"),
        ("pyqt=5", "PyQt5"),
        ("ruamel_yaml", "ruamel.yaml"),
        ("scikit-learn=1.2", "scikit-learn==1.2.*"),
        ("typing_extensions", "typing_extensions"),
        ("librosa", "librosa"),
        ("pandas[version='>=1.5,<2']", "pandas>=1.5,<2"),
    ],
)
def test_names_and_versions(dependency: str, requirement: str) -> None:
    (one,) = translated(dependency)
    assert (one.requirement, one.missing) == (requirement, "")


@pytest.mark.parametrize(
    "dependency",
    ["openssl=1.1.1w=h7f8727e_0", "_libgcc_mutex=0.1=main", "ld_impl_linux-64", "mkl=2023", "blas=*=openblas", "nomkl",
     "pytorch-cuda=11.7", "cpuonly", "libgcc-ng", "xorg-libx11", "tzdata=2023c", "hdf5=1.10"],
)  # fmt: skip
def test_what_is_left_out(dependency: str) -> None:
    assert translated(dependency) == [Translated(Text(dependency, Location("conda.yaml", 1, 1)))]


@pytest.mark.parametrize(
    "dependency",
    ["openjdk=8", "cudatoolkit=11.3", "r-base", "r-ggplot2", "nodejs", "gcc", "gxx_linux-64", "cudnn", "graphviz",
     "redis", "bioconductor-deseq2", "https://host/noarch/x-1-0.conda", "numpy 1.2|1.4", "tk-8.6[md5=abc]"],
)  # fmt: skip
def test_what_is_missing(dependency: str) -> None:
    (one,) = translated(dependency)
    assert one.missing


BASE = ("ca-certificates=2023.1.10=h06a4308_0", "openssl=1.1.1s=h7f8727e_0", "xz=5.2.10=h5eee18b_1")


@pytest.mark.parametrize(
    "dependency",
    [
        "cudatoolkit=11.3.1=h2bc3f7f_2",
        "libwhatever=1=0",
        "nodejs=18=h1_0",
        "sysroot_linux-64=2.17=h1",
        "unheardof=4.0=hcdf2ecd_0",
    ],
)
def test_what_an_export_lists_because_other_packages_brought_it(dependency: str) -> None:
    *_, one = translated(*BASE, dependency)
    assert (one.requirement, one.missing) == ("", "")


def test_a_package_of_pythons_in_an_export_is_known_by_its_build() -> None:
    *_, wheel, noarch, cuda = translated(
        *BASE, "unheardof=4.0=py37hcdf2ecd_0", "another=1=pyhd8ed1ab_0", "pytorch=1.5.0=py3.7_cuda10.1_0"
    )
    assert [one.requirement for one in (wheel, noarch, cuda)] == [
        "unheardof==4.0",
        "another==1",
        "torch==1.5.0",
    ]
    assert translated("unheardof=4.0=hcdf2ecd_0")[0].requirement == "unheardof==4.0", "a person asks for it"


def test_an_export_still_asks_for_what_is_r() -> None:
    *_, one = translated(*BASE, "r-base=4.1=h1_0")
    assert one.missing == "not on PyPI"


@pytest.mark.parametrize(
    "text",
    ["numpy @ https://evil/x.whl", "numpy; python_version<'3'", "numpy --index-url=https://evil", "x.whl", "a.tar.gz",
     "numpy=1 --hash=x", "numpy==1\n--index-url https://evil", "numpy>=1,", "numpy=1.2#x", "-e .", "../x", "x/y"],
)  # fmt: skip
def test_nothing_but_a_name_and_versions_reaches_pip(text: str) -> None:
    (one,) = translated(text)
    assert not one.requirement or re.fullmatch(r"[A-Za-z0-9._-]+([=<>!~]=?[\w.*]+,?)*", one.requirement), one


@given(st.text(alphabet="ab1.=<>!~,|* []'\":/-_@;#+\n", min_size=1, max_size=30))
def test_every_requirement_is_valid(text: str) -> None:
    (one,) = translated(text)
    if one.requirement:
        requirement = Requirement(one.requirement)
        assert requirement.url is None
        assert requirement.marker is None


def test_the_table_is_consistent() -> None:
    assert not names.RENAMED.keys() & names.IMPLIED
    assert not names.RENAMED.keys() & names.CONDA_ONLY
    assert not names.IMPLIED & names.CONDA_ONLY
    assert not names.PYTHON_LIBRARIES & (names.IMPLIED | names.CONDA_ONLY)
    for conda, pypi in names.RENAMED.items():
        assert canonicalize_name(conda) != canonicalize_name(pypi) or conda == "ruamel_yaml"
        assert Requirement(pypi).name == pypi
    for name in (*names.RENAMED, *names.IMPLIED, *names.CONDA_ONLY):
        assert name == name.lower()


PAIRS = [("pytorch=1.13", "torch==1.13.*"), ("numpy=1.24", "numpy==1.24.*"), ("xz=5", "")]


def test_the_words_for_it() -> None:
    assert translation_warning(PAIRS, "conda.yaml", "conda is not installed") == (
        "conda.yaml is built from PyPI because conda is not installed;"
        " 2 conda packages translated (pytorch=1.13 as torch==1.13.*); left out xz"
    )
    assert translation_warning(PAIRS[1:2], "conda.yaml", "") == (
        "conda.yaml is built from PyPI; 1 conda package translated"
    )
    assert translation_facts(PAIRS) == (
        ("translated", "pytorch=1.13 -> torch==1.13.*"),
        ("translated", "numpy=1.24 -> numpy==1.24.*"),
        ("left out", "xz=5"),
    )
    assert (
        translation_tag(PAIRS) == "pytorch=1.13 -> torch==1.13.*; numpy=1.24 -> numpy==1.24.*; left out: xz=5"
    )


def test_long_translations_are_cut() -> None:
    pairs = [(f"package-{number}=1", "") for number in range(1000)]
    assert len(translation_tag(pairs)) == 5000
    assert translation_warning(pairs, "conda.yaml", "").endswith("package-5 and 994 more")
    assert len(dict(translation_facts(pairs))["left out"]) > 5000
