# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by packaging/run, packaging/test and packaging/bench: packages, configuring, building.
# Sourced, never run. Every function leaves at the first failure with one sentence on stderr.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="$root/build"
export LC_ALL=C.UTF-8
# A clone in another folder finds what an earlier one compiled.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

# Debian's Python: its packages (onnx, torch) are not seen by another one that may come first on PATH.
python=/usr/bin/python3

# What the programs need to be built and to run.
build_packages=(
  cmake ninja-build g++ ccache pkg-config
  nlohmann-json3-dev libxxhash-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libturbojpeg0-dev libpng-dev zlib1g-dev
  qt6-base-dev qt6-svg-dev qt6-tools-dev qt6-tools-dev-tools qt6-l10n-tools
  libqcustomplot-dev libgraphviz-dev libgl-dev fonts-dejavu-core
  libgtest-dev libgmock-dev
  libtorch-dev
)
# What the tests need on top: exporters of real models, ONNX's own operator tests, a display.
test_packages=(
  python3 python3-numpy python3-onnx python3-torch python3-torchvision libonnx-testdata
  xvfb xauth xdotool imagemagick binutils ca-certificates
)
bench_packages=(libbenchmark-dev python3 python3-onnx python3-torch python3-torchvision)

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

# Prints those of the given packages that are not installed.
missing_packages() {
  command -v dpkg-query >/dev/null ||
    fail "Fovea's scripts install what they need with apt on Debian 12; this system has no dpkg-query."
  local installed package
  # dpkg-query exits 1 where it does not know a package; the list says all that is needed.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qx "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

install_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "These packages are missing and neither root nor sudo is at hand; as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${#missing[@]} missing packages: ${missing[*]}"
  local quiet=(-o Dpkg::Use-Pty=0 -o APT::Install-Recommends=false -qq -y)
  "${as_root[@]}" apt-get update -qq ||
    fail "apt-get update failed; the missing packages are: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]}"
}

# Debian's nodejs only where no other is there: installing it over another one conflicts.
node_packages() {
  command -v node >/dev/null || say nodejs
  command -v npm >/dev/null || say npm
}

# configure PRESET FOLDER [cmake options]; ninja itself configures again when a CMake file changed.
configure() {
  local preset=$1 folder=$2
  shift 2
  local stamp="$folder/.configured" wanted
  wanted="$root $preset $*"
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  say "Configuring in ${folder#"$root"/}"
  (cd "$root" && cmake --preset "$preset" "$@" >"$root/.configure.log" 2>&1) || {
    cat "$root/.configure.log" >&2
    rm -f "$root/.configure.log"
    fail "CMake could not configure the preset '$preset'."
  }
  rm -f "$root/.configure.log"
  printf '%s' "$wanted" >"$stamp"
}

# build_targets FOLDER [target...]
build_targets() {
  local folder=$1
  shift
  local arguments=()
  [ $# -eq 0 ] || arguments=(--target "$@")
  cmake --build "$folder" "${arguments[@]}" || fail "The build failed; what the compiler said stands above."
}

# same_stamp FILE TEXT: whether FILE holds TEXT.
same_stamp() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# ONNX Runtime for Node.js into build/ort, as its lock file says; the install scripts would fetch CUDA.
install_onnxruntime() {
  local folder="$build/ort" lock="$root/tests/models/ort/package-lock.json" wanted
  wanted=$(sha256sum <"$lock")
  same_stamp "$folder/.stamp" "$wanted" && [ -d "$folder/node_modules/onnxruntime-node" ] && return 0
  say "Installing ONNX Runtime for Node.js into ${folder#"$root"/}"
  mkdir -p "$folder"
  cp "$root/tests/models/ort/package.json" "$lock" "$folder/"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
    fail "npm could not install onnxruntime-node."
  printf '%s' "$wanted" >"$folder/.stamp"
}

# The files that the tests read, made once; each script keeps what is already right.
prepare_test_data() {
  export FOVEA_TEST_MODELS="$build/models" FOVEA_TEST_OUT="$build/test-out" FOVEA_TEST_ORT="$build/ort"
  export FOVEA_TEST_NETWORKS="$build/networks" FOVEA_TEST_BROKEN="$build/broken"
  export FOVEA_TEST_TORCHVISION="$build/torchvision"
  export FOVEA_GOLDEN="$root/tests/golden"
  mkdir -p "$FOVEA_TEST_OUT"
  install_onnxruntime
  say "Exporting real models into build/models (once; several minutes)"
  "$python" "$root/tests/models/export_torchvision.py" --out "$FOVEA_TEST_MODELS" --cache ||
    fail "tests/models/export_torchvision.py failed."
  make_once "$FOVEA_TEST_NETWORKS" models/random_networks.py
  make_once "$FOVEA_TEST_BROKEN" models/broken_files.py
  make_once "$FOVEA_TEST_TORCHVISION" zoo/list_torchvision.py
}

# make_once FOLDER SCRIPT: runs tests/SCRIPT --out FOLDER unless it has already, with the scripts beside it unchanged.
make_once() {
  local folder=$1 script="$root/tests/$2" wanted
  wanted=$(cat "${script%/*}"/*.py | sha256sum)
  same_stamp "$folder/.stamp" "$wanted" && return 0
  say "Making ${folder#"$root"/}"
  rm -rf "$folder"
  mkdir -p "$folder"
  "$python" "$script" --out "$folder" >"$folder.log" 2>&1 || {
    tail -20 "$folder.log" >&2
    fail "tests/$2 failed."
  }
  printf '%s' "$wanted" >"$folder/.stamp"
}

# run_ctest FOLDER [ctest options]: results in FOLDER/test-results.xml.
run_ctest() {
  local folder=$1
  shift
  rm -f "$folder/test-results.xml"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(nproc)" \
    --output-junit "$folder/test-results.xml" "$@"
}
