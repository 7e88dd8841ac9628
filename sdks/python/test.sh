#!/usr/bin/env bash
# Builds the sdist and the wheel, installs the wheel into a fresh venv, and tests what is installed.
# With REV_BASE_URL and REV_API_KEY set, the tests against a real Rev run as well. Arguments go to unittest.
# OUT= keeps the packages there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

has_build() { "$1" -c 'import build, setuptools, wheel, venv' 2>/dev/null; }

python=${PYTHON:-}
if [[ -z $python ]]; then
  for candidate in python3 /usr/bin/python3; do
    if has_build "$candidate"; then python=$candidate && break; fi
  done
fi
if [[ -z $python ]] || ! has_build "$python"; then
  echo 'No python3 with build, setuptools, wheel and venv (Debian: python3-build python3-setuptools python3-wheel python3-venv)' >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# From a copy, so that the build leaves nothing behind here.
mkdir "$work/source" "$work/tests"
cp -R pyproject.toml MANIFEST.in LICENSE README.md src tests "$work/source"
find "$work/source" \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
out=${OUT:-$work/dist}
"$python" -m build --no-isolation --outdir "$out" "$work/source" > "$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
ls -1 "$out"

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --no-index --no-deps --disable-pip-version-check "$out"/revgrid-*.whl

# What is tested is what is installed: the sources are out of reach, and the tests are those of the sdist.
tar -xzf "$out"/revgrid-*.tar.gz -C "$work/tests" --strip-components=1
rm -rf "$work/tests/src" "$work/source"
cd "$work/tests"
unset PYTHONPATH
"$work/venv/bin/python" -c "import revgrid, sys; assert revgrid.__file__.startswith(sys.prefix), revgrid.__file__; print('revgrid', revgrid.__version__, 'on Python', sys.version.split()[0])"
if (( $# )); then
  "$work/venv/bin/python" -m unittest "$@"
else
  "$work/venv/bin/python" -m unittest discover -s tests -t .
fi
