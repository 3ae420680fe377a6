#!/bin/sh
# Print the Python to make .venv with: the one named, else the first on the PATH that tagdb supports.
# Python 3.14 comes after the older ones, because TensorFlow has no release for it.
#
#   sh tools/find_python.sh [PYTHON]

SUPPORTED="Python 3.11 to 3.14"

version() { # what a program says its version is; nothing where it is no Python
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

others=""
for python in python3 python3.13 python3.12 python3.11 python3.14 python; do
    found=$(version "$python")
    if supported "$found"; then
        [ -z "$others" ] || echo "using $python, because $others" >&2
        echo "$python"
        exit
    fi
    [ -z "$found" ] || others="${others:+$others and }$python is Python $found"
done
echo "tagdb needs $SUPPORTED, and ${others:-there is no Python on the PATH}; install one, or name one:" \
    "make PYTHON=/path/to/python3.13" >&2
exit 1
