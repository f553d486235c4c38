#!/bin/bash
# run.sh [TIER...]: the test command. As root, on Debian 12: installs what tests need, builds, runs every tier (or those
# named), and prints one summary. The last line is `N passed, N failed, N skipped`; exit status 0 if nothing failed.
# Each tier's full output is in build/logs/TIER.log. A skip counts as a failure unless integration/expected_skips.txt has it.
set -u
exec 3>&1  # for progress from inside a tier, whose stdout is TAP
ROOT=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
cd "$ROOT" || exit 1
readonly LOGS=$ROOT/build/logs SUPPORT=$ROOT/integration/support
readonly PLUGINS=$ROOT/build/release/bin
JOBS=$(nproc)
readonly JOBS

# ---- the tiers, cheapest first: every one prints TAP ------------------------------------------------------------
readonly TIERS=(format layering unit fuzz netns e2e fault bench vm tidy)

tier_format() { # clang-format, by the repository's own style
  local file
  git ls-files '*.cc' '*.h' | while read -r file; do
    one_test "$file" clang-format --dry-run --Werror "$file"
  done
}

tier_layering() { one_test "every #include points downward" runner tests/layering_test.sh; }

tier_unit() { # ASan and UBSan are in
  "$SUPPORT/gtest_tap.py" build/dev/bin/unit_*
  runner tests/cnm/cli/completion_test.sh build/dev/bin/cnmctl
  runner tests/man_test.sh build/dev/bin
}

tier_fuzz() { # 20 s for each decoder of what strangers write
  local source target running=0 targets=()
  for source in tests/fuzz/*_fuzz.cc; do targets+=("fuzz_$(basename "$source" _fuzz.cc)"); done
  build tidy "${targets[@]}" || return 1
  for target in "${targets[@]}"; do
    one_test "$target, 20 s" "build/tidy/bin/$target" -max_total_time=20 -print_final_stats=1 \
      -artifact_prefix="$LOGS/" > "$LOGS/$target.tap" &
    ((++running < JOBS)) || { wait -n; ((--running)); }
  done
  wait
  for target in "${targets[@]}"; do cat "$LOGS/$target.tap"; done
}

tier_netns() { # our classes, and the plugins as black boxes, in private network namespaces
  "$SUPPORT/gtest_tap.py" build/dev/bin/netns_*
  runner integration/netns/cnm/examples/run build/dev/bin
  runner integration/netns/run --plugins "$PLUGINS"
}

tier_e2e() { CNM_PLUGINS=$PLUGINS runner integration/e2e/run; }     # podman, containerd, libcni
tier_fault() { CNM_PLUGINS=$PLUGINS runner integration/fault/run; } # killed and failing at every step
tier_vm() { CNM_PLUGINS=$PLUGINS runner integration/vm/run; }       # what only another kernel has

tier_bench() { # that it runs, and the counts of system calls and messages; no time decides here
  one_test "the benchmark runs" runner integration/bench/run --quick --plugins "$PLUGINS"
  runner integration/bench/counts --plugins "$PLUGINS"
}

tier_tidy() { # every file once; later only what changed
  build tidy cnm_fmt || return 1 # it is the compile commands that clang-tidy needs
  tests/tidy.py build/tidy
}

# ---- how a tier is run ------------------------------------------------------------------------------------------
# one_test NAME COMMAND...: COMMAND's exit status as one line of TAP, after its output as comments.
one_test() {
  local name=$1 output status=0
  shift
  output=$("$@" 2>&1) || status=$?
  if [ $status = 0 ]; then echo "ok - $name"; else echo "not ok - $name"; fi
  # shellcheck disable=SC2001
  sed 's/^/# /' <<< "$output"
}

# runner PATH ARGS...: a tier's own program; one that is not in the tree is a failure, never silence.
runner() {
  [ -x "$1" ] || { echo "not ok - $1 is missing"; return 1; }
  local status=0
  "$@" || status=$?
  echo "# $1 ended with status $status"
  return $status
}

# build PRESET [TARGET...]: configures one preset and builds all of it or those; output in build/logs/build-PRESET.log.
build() {
  local preset=$1 log=$LOGS/build-$1.log launcher=() line next=$((SECONDS + 10))
  shift
  ! command -v ccache > /dev/null || launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  {
    cmake --preset "$preset" "${launcher[@]}" &&
      cmake --build "build/$preset" --parallel "$JOBS" ${1:+--target "$@"}
  } 2>&1 | tee "$log" |
    while IFS= read -r line; do
      [ $SECONDS -ge $next ] || continue
      next=$((SECONDS + 10))
      echo "  build $preset: ${line:0:90}" >&3
    done
  [ "${PIPESTATUS[0]}" != 0 ] || return 0
  echo "not ok - the preset $preset builds"
  { grep -E -A 4 'error:|FAILED:|CMake Error' "$log" || tail -n 20 "$log"; } | head -n 40 | cut -c1-200 | sed 's/^/# /'
  return 1
}

tier_build() {
  local preset
  for preset in release dev; do
    ! build "$preset" || echo "ok - the preset $preset builds"
  done
}

# report TIER: runs it, shows what failed and adds a row to the summary.
report() {
  local tier=$1 started=$SECONDS line row
  echo "== $tier"
  while IFS= read -r line; do # the last line is the row
    [ -z "${row:-}" ] || echo "$row"
    row=$line
  done < <("tier_$tier" 2>&1 | "$SUPPORT/tap_report.py" "$tier" "$LOGS/$tier.log" \
    integration/expected_skips.txt)
  echo "$row $((SECONDS - started))" >> "$LOGS/summary"
  [ "$(cut -d' ' -f3 <<< "$row")" = 0 ]
}

summary() {
  echo
  awk 'BEGIN {format = "%-10s %7s %7s %7s %6s\n"; printf format, "tier", "passed", "failed", "skipped", "s"}
    {printf format, $1, $2, $3, $4, $5; passed += $2; failed += $3; skipped += $4}
    END {printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0}' "$LOGS/summary"
}

main() {
  local tier
  for tier; do
    [[ " ${TIERS[*]} " == *" $tier "* ]] || { echo "no tier $tier; there are: ${TIERS[*]}" >&2; exit 2; }
  done
  mkdir -p "$LOGS"
  : > "$LOGS/summary"
  packaging/apt/install.sh build test || exit 1
  if report build; then
    for tier in "${@:-${TIERS[@]}}"; do report "$tier"; done
  fi
  summary
}

main "$@"
