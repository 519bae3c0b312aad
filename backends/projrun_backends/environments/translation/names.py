"""What conda packages are called on PyPI: data alone. A name that is listed nowhere here is the same in both.

The names were compared with conda-forge's own mapping (grayskull) and with PyPI; add to them freely.
"""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RENAMED = """
    pytorch torch
    pytorch-cpu torch
    pytorch-gpu torch
    torchvision-cpu torchvision
    pytorch_geometric torch-geometric
    pyg torch-geometric
    pytorch-scatter torch-scatter
    pytorch-sparse torch-sparse
    pytorch-cluster torch-cluster
    pytorch-spline-conv torch-spline-conv
    ignite pytorch-ignite
    tensorflow-base tensorflow
    tensorflow-gpu tensorflow
    tensorflow-gpu-base tensorflow
    tensorflow-mkl tensorflow
    tensorflow-eigen tensorflow
    keras-base keras
    keras-gpu keras
    jaxlib-cpu jaxlib
    faiss faiss-cpu
    py-xgboost xgboost
    py-xgboost-cpu xgboost
    py-xgboost-gpu xgboost
    h2o-py h2o
    boruta_py boruta
    prince-factor-analysis prince
    numpy-base numpy
    scipy-base scipy
    matplotlib-base matplotlib
    seaborn-base seaborn
    dask-core dask
    geopandas-base geopandas
    pyct-core pyct
    evalml-core evalml
    pvlib-python pvlib
    pytables tables
    opencv opencv-python
    py-opencv opencv-python
    libopencv opencv-python
    pil pillow
    pysoundfile soundfile
    python-sounddevice sounddevice
    python-graphviz graphviz
    python-kaleido kaleido
    python-annoy annoy
    python-symengine symengine
    ortools-python ortools
    gurobi gurobipy
    pyqt PyQt5
    msgpack-python msgpack
    python-blosc blosc
    cython-blis blis
    dgl-cuda10.1 dgl-cu101
    dgl-cuda10.2 dgl-cu102
    dgl-cuda11.0 dgl-cu110
    brotli-python Brotli
    python-xxhash xxhash
    python-lmdb lmdb
    python-flatbuffers flatbuffers
    python-fastjsonschema fastjsonschema
    python-installer installer
    python-tzdata tzdata
    python-libarchive-c libarchive-c
    python-clang clang
    python-confluent-kafka confluent-kafka
    python-kubernetes kubernetes
    python-hdfs hdfs
    python-cufflinks cufflinks
    python-flair flair
    python-mss mss
    python-neo neo
    python-asana asana
    python-duckdb duckdb
    python-htcondor htcondor
    python-termstyle termstyle
    python-coreapi coreapi
    python-coreschema coreschema
    hjson-py hjson
    esprima-python esprima
    gnupg-py gnupg
    neo4j-python-driver neo4j
    trino-python-client trino
    vsts-python-api vsts
    cockroachdb-python cockroachdb
    docker-py docker
    redis-py redis
    delegator delegator.py
    flex-swagger flex
    msg-extractor extract-msg
    nvidia-ml nvidia-ml-py3
    psycopg2 psycopg2-binary
    ruamel_yaml ruamel.yaml
    snakemake-minimal snakemake
    sagemaker-inference-toolkit sagemaker-inference
    py-lief lief
    py-spy-static py-spy
    black-jupyter black
    airflow apache-airflow
"""

RENAMED: Mapping[str, str] = dict(line.split() for line in _RENAMED.strip().splitlines())
"""The name on PyPI of a conda package that is called otherwise there."""

NUMBERED = frozenset({"opencv-python", "ortools"})
"""On PyPI their versions end in the number of a build of their own: `4.6.0.66` is conda's `4.6.0`."""

UNPINNED = frozenset({"PyQt5"})
"""Any version will do: conda's `pyqt=5.9.2` comes along with matplotlib, and PyPI has no wheel of it for its Python."""

BASE = _words(
    """
    _libgcc_mutex _openmp_mutex bzip2 ca-certificates ld_impl_linux-64 ld_impl_linux-aarch64 libcxx libffi
    libgcc-ng libstdcxx-ng ncurses openssl readline sqlite tk vc vs2015_runtime xz zlib
    """
)
"""What every Python of conda consists of: a file that lists several of them was written by `conda env export`."""

IMPLIED = BASE | _words(
    """
    abseil-cpp alsa-lib aom arrow-cpp attr backports blas blosc boost-cpp brotli brotli-bin c-ares c-blosc2
    cairo charls console_shortcut cpuinfo cpuonly cyrus-sasl dataclasses dav1d dbus double-conversion expat fftw
    fontconfig fonts-anaconda fonts-conda-ecosystem fonts-conda-forge freeglut freetype freexl fribidi
    gdk-pixbuf geos geotiff gettext gflags giflib glew glib glib-tools glog gmp gnutls gobject-introspection
    graphite2 grpc-cpp gst-plugins-base gstreamer gtest gtk2 gtk3 harfbuzz hdf4 hdf5 icc_rt icu intel-openmp
    jasper jbig jpeg json-c jxrlib kealib keyutils krb5 lame lcms2 lerc libarrow libcurl libgdal libgomp
    libjpeg-turbo libpng libpq libprotobuf libsndfile libsodium libspatialindex libtiff libuuid libwebp
    libxgboost libxml2 libxslt llvm-openmp lz4-c lzo magma menuinst mesalib metis mkl mkl-devel mkl-include
    mkl-service mkl_fft mkl_random mpc mpfr mpg123 mysql-common mysql-libs navigator-updater nettle
    nlohmann_json nodefaults nomkl nspr nss numactl openblas openblas-devel openh264 openjpeg orc pango
    parquet-cpp pcre pcre2 pixman poppler-data powershell_shortcut proj proj4 pthread-stubs pybind11-abi
    python_abi pytorch-cuda pytorch-mutex pywin32 pywinpty qt qt-main qt-webengine qt6-main qtwebkit rapidjson
    rdma-core re2 s2n sip sleef snappy spdlog svt-av1 tbb tbb4py tcl tensorflow-mutex tiledb tzcode tzdata
    tzlocal-data ucrt ucx-proc uriparser utf8proc vc14_runtime wayland win_inet_pton win_unicode_console
    wincertstore winpty x264 x265 xerces-c xkeyboard-config xz-gpl-tools xz-tools yaml yaml-cpp zeromq zfp
    zlib-ng zstd
    """
)
"""Libraries and switches of conda itself: on PyPI they come inside the wheels that need them, or mean nothing."""

IMPLIED_PATTERN = (
    r"_.*|ld_impl_.*|(?:m2|m2w64|msys2)-.*|font-ttf-.*|xorg-.*|aws-(?:c-.*|checksums|crt-cpp|sdk-cpp)|azure-.*-cpp"
    r"|lib(?:gcc|gfortran|stdcxx|cxx|blas|cblas|lapack|openblas|magma|mkl).*"
)
"""The same by the form of their names."""

EXPORTED = _words(
    """
    boost cudatoolkit cudnn curl dal eigen ffmpeg graphviz gsl imagemagick leptonica mpi mpich nccl nodejs
    openjdk openmpi pandoc perl portaudio postgresql suitesparse ucx unixodbc
    """
)
"""What other packages bring along: left out where an export lists it, an error where a person does."""

EXPORTED_PATTERN = (
    r"lib.*|cuda-(?!python|bindings|core|pathfinder).*"
    r"|(?:binutils|gcc|gfortran|gxx|kernel-headers|sysroot)(?:_.*)?"
)
"""The same by the form of their names."""

EXPORTED_BUILD = r"h[0-9a-f]{7,8}_\d+"
"""The build of what is no package of Python's, whose builds name a Python: `py310h5f9d8c6_1`, `pyhd8ed1ab_0`."""

PYTHON_LIBRARIES = _words(
    """
    libarchive-c libconf libcst libgravatar libhoney libigl libipld liblinear-official libnacl libpysal librosa
    librt libsass libsvm libsvm-official libtmux libtorrent libtpu libusb1 libvirt-python
    """
)
"""What `EXPORTED_PATTERN` would take for a library of conda's, and is a package of Python's."""

CONDA_ONLY = EXPORTED | _words(
    """
    anaconda anaconda-navigator ant apex autoconf automake bash bcftools bedtools binutils bison blast bowtie
    bowtie2 bwa c-compiler coin-or-cbc coincbc compilers conda-build conda-env cudatoolkit-dev cudf
    cugraph cuml cxx-compiler doxygen emacs fastqc flex fortran-compiler gatk4 gawk gcc gfortran ghc git git-lfs
    glpk go google-cloud-sdk gxx hisat2 htop htslib ipopt java-1.7.0-openjdk java-1.8.0-openjdk java-jdk jq
    julia kallisto lua m4 make mamba maven micromamba miniconda minimap2 mongodb mysql nco nginx nltk_data npm
    nvcc nvidia-apex octave openjdk openssh p7zip parallel patch picard pkg-config r r-base rabbitmq-server
    rapids redis redis-server rsync ruby rust salmon samtools sbt scala sed singularity star tar tectonic
    tesseract texlive-core tmux tree trimmomatic unzip vim wget yarn zip zsh
    """
)
"""Programs and libraries that PyPI does not have. Some of their names belong to other projects there."""

CONDA_ONLY_PATTERN = (
    r"cuda-(?!python|bindings|core|pathfinder).*|(?:bioconductor|octave|perl|r|rb|spacy-model|texlive)-.*|libboost.*"
    r"|.*[_-](?:linux|osx|win)-(?:32|64|aarch64|arm64|armv7l|ppc64le|s390x)"
)
"""The same by the form of their names."""
