#!/usr/bin/env bash
# Installs what is missing, builds, runs every test; ctest's summary of the release build comes last.
#   tests/run.sh [release|asan-ubsan|tsan|clang|fuzz|lint]...    only these steps
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. ./packages.sh

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(lint asan-ubsan tsan release)

install_packages build image test

say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

build() {
  cmake --preset "$1" >"build-$1.log" 2>&1 || { cat "build-$1.log"; return 1; }
  rm -f "build-$1.log"
  cmake --build --preset "$1" "${@:2}" -- --quiet
}

# ctest makes fixtures before the tests that need them, and keeps apart what a line "# alone with:" names.
run_ctest() { ctest --preset "$1" --parallel "$(nproc)" "${@:2}"; }

lint() {
  local sources scripts
  mapfile -t sources < <(git ls-files '*.cc' '*.h')
  mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
  clang-format-19 --dry-run -Werror "${sources[@]}"
  shellcheck -x "${scripts[@]}"
}

for step in "${steps[@]}"; do
  say "$step"
  case $step in
    lint) lint ;;
    clang) build clang ;;
    tsan) build tsan --target parallel_tests vmfs manifest populate && run_ctest tsan -R '[Pp]arallel' ;;
    fuzz) build fuzz --target fuzzers && run_ctest fuzz -R '^fuzz\.' ;;
    release | asan-ubsan) build "$step" && run_ctest "$step" ;;
    *) printf 'unknown step: %s\n' "$step" >&2; exit 2 ;;
  esac
done
