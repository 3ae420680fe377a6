#!/bin/sh
# Print the Python to make .venv with: the one named, else the first on the PATH that tagdb supports.
# Python 3.14 comes after the older ones, because TensorFlow has no release for it.
#
#   sh tools/find_python.sh [PYTHON]

SUPPORTED="Python 3.11 to 3.14"

version() { # nothing where it is no Python that runs here, as the shims of version managers
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

supported() {
    case $1 in 3.11 | 3.12 | 3.13 | 3.14) true ;; *) false ;; esac
}

if [ -n "$1" ]; then
    found=$(version "$1")
    if ! supported "$found"; then
        echo "tagdb needs $SUPPORTED, and $1 is ${found:+Python }${found:-no Python that runs here}" >&2
        exit 1
    fi
    echo "$1"
    exit
fi

usual=$(version python3)
for python in python3 python3.13 python3.12 python3.11 python3.14; do
    if supported "$(version "$python")"; then
        [ "$python" = python3 ] || echo "using $python, because ${usual:+python3 is Python }${usual:-there is no python3}" >&2
        echo "$python"
        exit
    fi
done
echo "tagdb needs $SUPPORTED, and ${usual:+python3 is Python }${usual:-there is none on the PATH}; install one, or name one:" \
    "make PYTHON=/path/to/python3.13" >&2
exit 1
