# shellcheck shell=bash disable=SC2154  # `root` and the package lists are set in ./dev
# ./dev test and ./dev sanitize: runs the parts of tests/, each with its runner, and sums what the
# runners reported. Sourced by ./dev.

# In the order they run: what is quick and close to the code first.
all_parts=(unit sim load integration cluster sdk rollout hostile conformance packaging browser)
more_parts=() # that the verb knows besides

part_dir() {
  case $1 in
    browser) echo tests/clients ;;
    sdk) echo tests/clients/sdk ;;
    server) echo tests/sanitizers ;;
    *) echo "tests/$1" ;;
  esac
}

existing_parts() {
  local part
  local -a existing=()
  for part in "${all_parts[@]}" "${more_parts[@]}"; do
    [[ ! -e $(part_dir "$part") ]] || existing+=("$part")
  done
  echo "${existing[*]}"
}

# Which of the runners below a part is for: what its folder holds says it.
runner_of() {
  if [[ $1 == browser ]]; then
    echo node_tests
  elif [[ -e $(part_dir "$1")/CMakeLists.txt ]]; then
    echo ctest_folder
  else
    echo pytest_folder
  fi
}

# Takes the parts named in front of the other arguments; sets `parts` and `rest`.
take_parts() {
  local -a existing
  read -ra existing <<<"$(existing_parts)"
  parts=()
  while (($#)) && [[ $1 != -* ]]; do
    [[ " ${existing[*]} " == *" $1 "* ]] || usage_error "no part '$1' (there is: ${existing[*]})"
    parts+=("$1")
    shift
  done
  rest=("$@")
}

verb_test() {
  local -a parts rest
  take_parts "$@"
  local -a targets=()
  if ((${#parts[@]})); then
    mapfile -t targets < <(targets_of "${parts[@]}")
  else
    read -ra parts <<<"$(existing_parts)"
  fi
  ((${#parts[@]})) || die "there are no tests in this tree"
  run_parts release "${targets[@]}"
}

# ./dev sanitize [asan|tsan] [PART...] [ARGUMENTS]. The part `server` is of this verb only.
verb_sanitize() {
  local preset=asan
  more_parts=(server)
  case ${1:-} in asan | tsan)
    preset=$1
    shift
    ;;
  esac
  local -a parts rest targets
  take_parts "$@"
  ((${#parts[@]})) || parts=(unit sim)
  mapfile -t targets < <(targets_of "${parts[@]}")
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
  run_parts "$preset" "${targets[@]}"
}

# What to build for some parts: `tests/unit/all` is Ninja's name for all targets of that folder.
targets_of() {
  local part
  for part in "$@"; do
    case $(runner_of "$part") in
      ctest_folder) echo "tests/$part/all" ;;
      *) echo canang ;;
    esac
    [[ $part != packaging ]] || echo canang_packaged
    # which their tests also run
    case $part in load | cluster | rollout | hostile) printf '%s\n' canang canang-load ;; esac
  done | sort -u
}

packages_of() {
  local part
  for part in "$@"; do
    [[ $part != packaging ]] || printf '%s\n' "${packaging_packages[@]}"
    case $(runner_of "$part") in
      # a test that finds no redis-server skips itself
      ctest_folder) printf '%s\n' "${gtest_packages[@]}" "${redis_packages[@]}" ;;
      pytest_folder) printf '%s\n' "${pytest_packages[@]}" ;;
      node_tests) printf '%s\n' "${browser_packages[@]}" ;;
    esac
    case $part in rollout | integration) printf '%s\n' "${rollout_packages[@]}" ;; esac
    [[ $part != sdk ]] || printf '%s\n' "${sdk_packages[@]}"
  done | sort -u
}

# run_parts PRESET [TARGET...]: builds, runs `parts` with `rest`, sums. No target: all.
run_parts() {
  local preset=$1 part
  shift
  local -a packages
  # GoogleTest in any case: without it the build with tests can't be configured.
  mapfile -t packages < <(packages_of unit "${parts[@]}")
  [[ $preset != asan ]] || packages+=("${sanitize_packages[@]}")
  install_packages "${build_packages[@]}" "${packages[@]}"

  report_dir=$root/build/reports/$preset
  rm -rf "$report_dir"
  mkdir -p "$report_dir"
  raise_descriptor_limit
  export CANANG_BIN=$root/build/$preset/canang

  local start=$SECONDS
  configure_all "$preset"
  compile "$preset" "$@"
  note_part build $((SECONDS - start)) 0
  for part in "${parts[@]}"; do
    run_part "$part"
  done
  python3 scripts/sum_reports.py "$report_dir"
}

# A failing part does not keep the others from running. What is compiled beside the tests (by .ci/run,
# CANANG_BESIDE is its session) rests while a part measures what a server bears.
run_part() {
  local part=$1 start=$SECONDS code=0 rests=''
  case $part in load | rollout | hostile) rests=${CANANG_BESIDE:-} ;; esac
  printf '\n== %s\n' "$part"
  [[ -z $rests ]] || kill -STOP -- "-$rests" 2>/dev/null || rests=''
  "$(runner_of "$part")" "$part" || code=$?
  [[ -z $rests ]] || kill -CONT -- "-$rests" || true
  note_part "$part" $((SECONDS - start)) "$code"
  echo "== $part: $((SECONDS - start)) s"
}

note_part() { printf '%s\t%s\t%s\n' "$@" >>"$report_dir/parts.tsv"; }

# A test with thousands of connections needs two descriptors for each.
raise_descriptor_limit() { ulimit -S -n "$(ulimit -H -n)"; }

# The runners: each writes its JUnit XML to $report_dir/PART.xml or $report_dir/PART-*.xml. They run
# where `set -e` has no effect, so every step says what happens if it fails.

ctest_folder() {
  local -a jobs=(--parallel "$CMAKE_BUILD_PARALLEL_LEVEL")
  [[ $1 != load ]] || jobs=()
  ctest --test-dir "build/$preset/tests/$1" --no-tests=error --output-on-failure --timeout 300 \
    "${jobs[@]}" --output-junit "$report_dir/$1.xml" "${rest[@]}"
}

# A whole part takes the tests that are marked `parallel` side by side, then the others one by one.
# So many at a time are about as quick as it gets on two processors: those of a cluster wait most of
# the time.
pytest_folder() {
  local code=0 beside=3
  case $1 in
    sdk) beside=4 ;;
    cluster) beside=5 ;;
  esac
  beside=$(at_least "$beside")
  prepare_venv || return
  [[ $1 != sdk ]] || prepare_node_modules "$(part_dir "$1")/js" || return
  if ((${#rest[@]})) || ! grep -qF 'mark.parallel' "$(part_dir "$1")/conftest.py"; then
    run_pytest "$1" "$1" "${rest[@]}"
    return
  fi
  run_pytest "$1" "$1-parallel" -m parallel --numprocesses "$beside" --dist worksteal || code=$?
  run_pytest "$1" "$1-serial" -m 'not parallel' || code=$?
  return "$code"
}

# run_pytest PART REPORT [ARGUMENTS]
run_pytest() {
  PYTHONPYCACHEPREFIX=$root/build/pycache build/venv/bin/python -m pytest "$(part_dir "$1")" \
    -o cache_dir="$root/build/pytest_cache" --junitxml="$report_dir/$2.xml" "${@:3}"
}

# As many at a time as there are processors, and not fewer than that.
at_least() { echo $(($1 > CMAKE_BUILD_PARALLEL_LEVEL ? $1 : CMAKE_BUILD_PARALLEL_LEVEL)); }

node_tests() {
  local manifest folder code=0
  for manifest in tests/clients/*/package.json; do
    folder=$(dirname "$manifest")
    prepare_node_modules "$folder" || return
    (
      cd "$folder" || exit
      node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit \
        --test-reporter-destination="$report_dir/$1-$(basename "$folder").xml" "${rest[@]}"
    ) || code=$?
  done
  return "$code"
}

# Both of these install only when what is asked for has changed since the last time.

prepare_venv() {
  local wanted stamp=build/venv/.installed
  wanted=$(python3 --version && sha256sum tests/requirements.txt) || return
  [[ ! -e $stamp || $(<"$stamp") != "$wanted" ]] || return 0
  echo "installing: tests/requirements.txt into build/venv"
  rm -rf build/venv &&
    python3 -m venv build/venv &&
    build/venv/bin/python -m pip install --quiet --disable-pip-version-check \
      -r tests/requirements.txt &&
    echo "$wanted" >"$stamp"
}

prepare_node_modules() {
  local wanted stamp=$1/node_modules/.installed
  wanted=$(node --version && cd "$1" && sha256sum package*.json) || return
  [[ ! -e $stamp || $(<"$stamp") != "$wanted" ]] || return 0
  echo "installing: $1/package.json into $1/node_modules"
  local -a how=(install --no-package-lock)
  [[ ! -e $1/package-lock.json ]] || how=(ci)
  # The browser is Debian's; a package that would fetch its own must not.
  PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 \
    npm "${how[@]}" --prefix "$1" --no-audit --no-fund --loglevel=error &&
    mkdir -p "$1/node_modules" &&
    echo "$wanted" >"$stamp"
}
