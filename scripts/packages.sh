# shellcheck shell=bash disable=SC2034  # the lists are for ./dev, which sources this file
# Which Debian packages the verbs of ./dev need, and the one call that installs what is missing.

build_packages=(g++ cmake ninja-build ccache mold pkg-config libcaf-dev libboost1.81-dev
  libhiredis-dev libspdlog-dev libfmt-dev libcli11-dev libsimdjson-dev libprotozero-dev
  libtomlplusplus-dev prometheus-cpp-dev libssl-dev libjemalloc-dev zlib1g-dev)
package_packages=(dpkg-dev file)
image_packages=(buildah debootstrap ca-certificates) # where there is no container engine
gtest_packages=(libgtest-dev libgmock-dev libbenchmark-dev python3)
redis_packages=(redis-server)
pytest_packages=(python3 python3-venv "${redis_packages[@]}" procps iproute2 openssl
  nginx-light curl)
rollout_packages=(haproxy)
# Go, which builds the tools, is not among them: Debian 12's own is too old for them.
manifest_packages=("${pytest_packages[@]}" "${rollout_packages[@]}")
# A cluster's nodes; Go, which builds Kubernetes, is not among them either.
kubernetes_packages=("${pytest_packages[@]}" containerd runc nftables iptables
  containernetworking-plugins util-linux libc6-dev)
# A container engine, which no test needs that is not about it.
compose_packages=("${manifest_packages[@]}" docker.io containerd runc iptables util-linux mount wget)
packaging_packages=("${pytest_packages[@]}" "${package_packages[@]}" "${image_packages[@]}" lintian
  systemd libseccomp2 util-linux)
# Nor is it here: what needs it of these tests skips itself where it is missing or too old.
sdk_packages=("${pytest_packages[@]}" "${rollout_packages[@]}" nodejs npm)
browser_packages=(python3 chromium nodejs npm "${redis_packages[@]}")
test_packages=("${gtest_packages[@]}" "${pytest_packages[@]}" "${rollout_packages[@]}"
  "${sdk_packages[@]}" "${browser_packages[@]}" "${packaging_packages[@]}")
format_packages=(clang-format-14)
lint_packages=(clang-14 clang-tidy-14 shellcheck)
sanitize_packages=(clang-14 libclang-rt-14-dev llvm-14) # the last for names in what is reported

# A tool that came by another way (a version manager, say) is as good as Debian's.
provided_otherwise() {
  case $1 in
    python3-venv) python3 -c 'import ensurepip, venv' ;;
    nodejs) command -v node ;;
    python3 | npm | chromium | shellcheck | redis-server | haproxy | curl) command -v "$1" ;;
    procps) command -v ps ;;
    iproute2) command -v ip ;;
    containerd | runc | iptables | wget) command -v "$1" ;;
    nftables) command -v nft ;;
    docker.io) command -v dockerd ;;
    containernetworking-plugins) [[ -x /opt/cni/bin/ptp ]] ;;
    *) false ;;
  esac &>/dev/null
}

# Prints those of the given packages that have to be installed.
missing_packages() {
  local installed package
  installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" installed:$package "* ]] || provided_otherwise "$package" ||
      echo "$package"
  done | sort -u
}

# Installs what is missing of the given packages, in one call. Does nothing when all is there.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system, nothing is installed here; this needs what Debian calls: $*" >&2
    return 0
  fi
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  local log=build/log/apt.log
  mkdir -p build/log
  echo "installing: ${missing[*]}"
  local start=$SECONDS
  if ! apt_install "${missing[@]}" &>"$log"; then
    tail -n 20 "$log" >&2
    echo "could not install: ${missing[*]} (all of it in $log)" >&2
    return 1
  fi
  echo "installed ${#missing[@]} packages in $((SECONDS - start)) s"
}

# A subshell, so that its trap tidies up on every way out.
apt_install() (
  local -a as_root=()
  ((EUID == 0)) || as_root=(sudo)
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
    -qq -y -o DPkg::Lock::Timeout=600)
  # --no-remove: libboost1.81-dev conflicts with other versions' headers; taking those away is for
  # the owner of the machine to decide.
  local -a install=("${apt[@]}" install --no-install-recommends --no-remove "$@")

  # Debian starts a service as it installs it; the tests start their own Redis.
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
  fi

  local fresh=false
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    "${apt[@]}" update
    fresh=true
  fi
  "${install[@]}" && exit 0
  $fresh && exit 1
  # Old lists name versions that are no longer served. One source that is away need not matter.
  "${apt[@]}" update || true
  "${install[@]}"
)

# extract_from_package PACKAGE FILE TARGET: one file of a Debian package that is not installed, such
# as a tool of which the rest is a service.
extract_from_package() (
  command -v dpkg-deb >/dev/null || exit 1
  target=$3
  directory=$(mktemp -d)
  trap 'rm -rf "$directory"' EXIT
  chmod 755 "$directory" # apt downloads as a user of its own
  cd "$directory" || exit
  apt-get -qq download "$1" 2>/dev/null || {
    apt_update && apt-get -qq download "$1" 2>/dev/null
  } || exit
  dpkg-deb --fsys-tarfile "$1"_*.deb | tar -xO "./$2" >file || exit
  chmod 755 file
  mkdir -p "$(dirname "$target")"
  mv file "$target"
)

apt_update() {
  local -a as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=600 update
}

# prepare_caf_source: CAF's source of the version that is installed, below build/caf, for the build with
# ThreadSanitizer. It comes from the archives that APT has the packages from, and APT checks it as it
# checks those. Prints the folder.
prepare_caf_source() {
  local package version place=build/caf
  # shellcheck disable=SC2016  # dpkg's variables
  package=$(dpkg-query -W -f='${source:Package}=${source:Version}' libcaf-dev) &&
    version=$(dpkg-query -W -f='${source:Upstream-Version}' libcaf-dev) || return
  local -a apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/$place/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$PWD/$place/lists"
    -o "Dir::Cache=$PWD/$place/cache" -o APT::Sandbox::User=root)
  if [[ ! -d $place/${package%=*}-$version ]]; then
    mkdir -p "$place/lists/partial" "$place/cache/archives/partial"
    # shellcheck disable=SC2016  # APT's variables, not the shell's
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
      'Created-By: Packages' | grep ' main$' | sort -u >"$place/sources.list"
    # Archives that have no sources, or not these, do not matter.
    "${apt[@]}" update &>"$place/apt.log" || true
    (cd "$place" && "${apt[@]}" source --tar-only "$package") &>>"$place/apt.log" || return
    tar -C "$place" -xf "$place/${package%=*}_$version.orig.tar".* || return
  fi
  echo "$PWD/$place/${package%=*}-$version"
}
