# shellcheck shell=bash disable=SC2154  # `root` and the package lists are set in ./dev
# ./dev format, ./dev lint and ./dev fuzz. Sourced by ./dev.

# All files of ours: not what was built, installed or is git's.
our_files() {
  find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o -type f -print |
    sed 's|^\./||' | sort
}

cpp_files() { our_files | grep -E '\.[ch]pp$' || true; }

shell_files() {
  local file
  our_files | grep -vE '\.[a-z]+$|/corpus/' | while read -r file; do
    if head -n 1 "$file" | grep -qaE '^#!.*\b(ba)?sh\b'; then echo "$file"; fi
  done
  our_files | grep '\.sh$' || true
}

# --- format

verb_format() {
  [[ $# == 0 || $* == --check ]] || usage_error "format takes --check or nothing"
  install_packages "${format_packages[@]}"
  local -a files
  mapfile -t files < <(cpp_files)
  ((${#files[@]})) || die "no C++ files here"
  if (($# == 0)); then
    clang-format-14 -i "${files[@]}"
    echo "formatted ${#files[@]} files"
  elif clang-format-14 --dry-run --Werror "${files[@]}"; then
    echo "${#files[@]} files are formatted"
  else
    die "not formatted as .clang-format says: ./dev format does it"
  fi
}

# --- lint

# Nothing: what differs from the upstream branch (without one: from the last commit). FILES: these.
# --all: every file. --quick: every file, the last changed first, until the time for it is up.
verb_lint() {
  local seconds=0
  local -a files shells
  case ${1:-} in
    --all) mapfile -t files < <(cpp_files) ;;
    --quick)
      seconds=${2:-240}
      mapfile -t files < <(newest_first)
      ;;
    -*) usage_error "lint takes --all, --quick [SECONDS] or files" ;;
    '') mapfile -t files < <(changed_files) ;;
    *) files=("$@") ;;
  esac
  install_packages "${build_packages[@]}" "${gtest_packages[@]}" "${lint_packages[@]}"

  mapfile -t shells < <(shell_files)
  shellcheck --external-sources "${shells[@]}" || die "shellcheck has findings"
  echo "shellcheck: ${#shells[@]} files without a finding"
  python3 scripts/check_includes.py || die "a file includes what it may not"

  mapfile -t files < <(printf '%s\n' "${files[@]}" | with_includers)
  lint_cpp "$seconds" "${files[@]}"
}

changed_files() {
  local base
  if ! git rev-parse --verify --quiet HEAD >/dev/null; then
    our_files
    return
  fi
  base=$(git merge-base HEAD '@{upstream}' 2>/dev/null) || base=HEAD
  git diff --name-only --diff-filter=d "$base"
  git ls-files --others --exclude-standard
}

newest_first() {
  {
    changed_files
    git log --format= --name-only --diff-filter=d -n 100 2>/dev/null || true
    cpp_files
  } | awk '!seen[$0]++'
}

# Reads file names, prints .cpp files in the same order: for a header, those that include it.
with_includers() {
  local file
  while read -r file; do
    case $file in
      *.cpp) [[ ! -e $file ]] || echo "$file" ;;
      *.hpp) cpp_files | grep '\.cpp$' | xargs -r grep -lF "#include \"$file\"" || true ;;
    esac
  done | awk '!seen[$0]++'
}

# lint_cpp SECONDS FILE...: no file is begun once the seconds (0: any number) are over.
lint_cpp() {
  local seconds=$1 start=$SECONDS until=0
  shift
  # A build directory of its own: clang can't read headers that GCC precompiled.
  local -a fuzz=()
  [[ ! -e tests/fuzz/CMakeLists.txt ]] || fuzz=(-D CANANG_FUZZ=ON)
  configure release -B build/lint -D CANANG_TESTS=ON "${fuzz[@]}" \
    -D CMAKE_CXX_COMPILER=clang++-14 -D CMAKE_DISABLE_PRECOMPILE_HEADERS=ON

  local -a files
  mapfile -t files < <(compiled_of "$@")
  if ((${#files[@]} == 0)); then
    echo "clang-tidy: no changed file"
    return
  fi
  ((seconds == 0)) || until=$((EPOCHSECONDS + seconds))
  rm -rf build/lint/checked
  mkdir -p build/lint/checked
  export -f tidy_one
  local failed=false
  printf '%s\0' "${files[@]}" |
    xargs -0 -P "$CMAKE_BUILD_PARALLEL_LEVEL" -I '{}' bash -c 'tidy_one "$@"' _ '{}' "$until" ||
    failed=true
  echo "clang-tidy: $(find build/lint/checked -type f | wc -l) of ${#files[@]} files checked" \
    "in $((SECONDS - start)) s"
  ! $failed || die "clang-tidy has findings"
}

# Those of the files that this configuration compiles.
compiled_of() {
  local file
  for file in "$@"; do
    ! grep -qF "\"file\": \"$root/$file\"" build/lint/compile_commands.json || echo "$file"
  done
}

# Runs in a shell of its own, several at a time: prints a file's findings in one piece.
tidy_one() {
  local file=$1 until=$2 findings code=0
  ((until == 0 || EPOCHSECONDS < until)) || return 0
  findings=$(clang-tidy-14 -p build/lint --quiet --extra-arg=-Wno-error \
    --extra-arg=-Wno-unknown-warning-option "$file" 2>&1) || code=1
  : >"build/lint/checked/${file//\//+}"
  ((code == 0)) || grep -v '^[0-9]* warnings\? .*generated' <<<"$findings"
  return "$code"
}

# --- fuzz

# fuzz [RUNS] [SECONDSs]: for each target, until the first of the two is reached. A target is an
# executable build/asan/fuzz_NAME with its corpus in tests/fuzz/corpus/NAME/ and, if there is one,
# its dictionary tests/fuzz/NAME.dict.
verb_fuzz() {
  local runs='' seconds='' argument
  for argument in "$@"; do
    case $argument in
      *[0-9]s) seconds=${argument%s} ;;
      *[0-9]) runs=$argument ;;
      *) usage_error "fuzz takes a number of inputs, or seconds such as 60s, or both" ;;
    esac
  done
  [[ -n $runs$seconds ]] || runs=1000000
  install_packages "${build_packages[@]}" "${gtest_packages[@]}" "${sanitize_packages[@]}"
  configure_all asan
  compile asan tests/fuzz/all

  local -a targets crashed=()
  mapfile -t targets < <(find build/asan -maxdepth 1 -name 'fuzz_*' -type f -executable | sort)
  ((${#targets[@]})) || die "tests/fuzz has no target"
  # As many at a time as there are processors: a target is one thread.
  rm -rf build/fuzz/passed
  mkdir -p build/fuzz/passed
  export -f fuzz_one
  printf '%s\0' "${targets[@]}" |
    xargs -0 -P "$CMAKE_BUILD_PARALLEL_LEVEL" -I '{}' \
      bash -c 'fuzz_one "$@"' _ '{}' "${runs:--1}" "${seconds:-0}" || true
  local target
  for target in "${targets[@]}"; do
    [[ -e build/fuzz/passed/${target##*/fuzz_} ]] || crashed+=("${target##*/}")
  done
  printf '\n%s passed, %s failed\n' $((${#targets[@]} - ${#crashed[@]})) "${#crashed[@]}"
  ((${#crashed[@]} == 0)) || die "crashed: ${crashed[*]} (inputs in build/fuzz/crashes)"
}

# fuzz_one TARGET RUNS SECONDS: runs in a shell of its own, several at a time.
fuzz_one() {
  local name=${1##*/fuzz_} start=$SECONDS
  local log=build/log/fuzz-$name.log
  # New inputs that reach new code go to the first folder; the one in the tree is only read.
  local -a corpus=("build/fuzz/corpus/$name") options=()
  mkdir -p "${corpus[0]}" build/fuzz/crashes
  [[ ! -d tests/fuzz/corpus/$name ]] || corpus+=("tests/fuzz/corpus/$name")
  [[ ! -e tests/fuzz/$name.dict ]] || options+=("-dict=tests/fuzz/$name.dict")
  if ! "$1" -runs="$2" -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "${options[@]}" "${corpus[@]}" &>"$log"; then
    tail -n 60 "$log" >&2
    echo "fuzz_$name: failed after $((SECONDS - start)) s (all of it in $log)" >&2
    return 1
  fi
  : >"build/fuzz/passed/$name"
  echo "fuzz_$name: $(awk '/number_of_executed_units/ {print $2}' "$log") inputs" \
    "in $((SECONDS - start)) s"
}
