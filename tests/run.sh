#!/bin/bash
# run.sh [TIER...]: the test command. As root, on Debian 12: installs what tests need, builds, runs every tier (or those
# named), and prints one summary. The last line is `N passed, N failed, N skipped`; exit status 0 if nothing failed.
# Each tier's full output is in build/logs/TIER.log. A skip counts as a failure unless integration/expected_skips.txt has it.
set -u
exec 3>&1  # for progress from inside a tier, whose stdout is TAP
ROOT=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
cd "$ROOT" || exit 1
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1 # what another checkout has compiled counts
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
  build fuzz || return 1
  for target in "${targets[@]}"; do
    one_test "$target, 20 s" "build/fuzz/bin/$target" -max_total_time=20 -print_final_stats=1 \
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
  one_test "the preset tidy is configured" cmake --preset tidy
  nice -n 19 tests/tidy.py build/tidy # only when nothing else has work for the processors
}

# Tiers that begin when the build is done, beside the others, and are reported in their turn: one that mostly waits, and
# one that only computes. They share nothing with the others.
readonly BACKGROUND=(e2e tidy)

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

# build PRESET: what tier_build and tier_fuzz build. Where no ccache remembers an earlier build, sources are compiled in
# batches, which takes half the time; but not what is installed: there each file must include what it uses.
build() {
  local options=(-DCNM_BATCHES=OFF -DCMAKE_CXX_COMPILER_LAUNCHER=)
  if [ -z "${CCACHE_DISABLE:-}" ] && command -v ccache > /dev/null; then
    options[1]+=ccache
  elif [ "$1" != release ]; then # it fails also if two sources do not go together: then one by one decides
    ! compile "$1" -DCNM_BATCHES=ON -DCMAKE_CXX_COMPILER_LAUNCHER= || return 0
    echo "  build $1: failed in batches, so every file by itself" >&3
  fi
  ! compile "$1" "${options[@]}" || return 0
  echo "not ok - the preset $1 builds"
  { grep -E -A 4 'error:|FAILED:|CMake Error' "$log" || tail -n 20 "$log"; } | head -n 40 | cut -c1-200 | sed 's/^/# /'
  return 1
}

# compile PRESET OPTION...: configures and builds a preset; output in build/logs/build-PRESET.log.
compile() {
  local preset=$1 line next=$((SECONDS + 10))
  log=$LOGS/build-$1.log
  shift
  { cmake --preset "$preset" "$@" && cmake --build --preset "$preset" --parallel "$JOBS"; } 2>&1 | tee "$log" |
    while IFS= read -r line; do
      [ $SECONDS -ge $next ] || continue
      next=$((SECONDS + 10))
      echo "  build $preset: ${line:0:90}" >&3
    done
  return "${PIPESTATUS[0]}"
}

tier_build() {
  local preset
  for preset in release dev; do
    ! build "$preset" || echo "ok - the preset $preset builds"
  done
}

# begin TIER: starts it beside what follows, in a process group of its own.
declare -A BEGUN=()
begin() {
  local began=$SECONDS
  rm -f "$LOGS/$1.ended"
  set -m
  { "tier_$1" < /dev/null > "$LOGS/$1.tap" 2>&1; echo $((SECONDS - began)) > "$LOGS/$1.ended"; } &
  set +m
  BEGUN[$1]=$!
}

# output TIER: what it prints, from its beginning to its end.
output() {
  if [ -z "${BEGUN[$1]:-}" ]; then
    "tier_$1" 2>&1
  else
    tail --pid "${BEGUN[$1]}" --lines +1 --follow "$LOGS/$1.tap"
    [ -e "$LOGS/$1.ended" ] || echo "not ok - $1 comes to its end"
  fi
}

# report TIER: runs it, or waits for it, shows what failed and adds a row to the summary.
report() {
  local tier=$1 started=$SECONDS line row
  echo "== $tier"
  while IFS= read -r line; do # the last line is the row
    [ -z "${row:-}" ] || echo "$row"
    row=$line
  done < <(output "$tier" | "$SUPPORT/tap_report.py" "$tier" "$LOGS/$tier.log" \
    integration/expected_skips.txt)
  [ -z "${BEGUN[$tier]:-}" ] || started=$((SECONDS - $(cat "$LOGS/$tier.ended" 2> /dev/null || echo 0)))
  echo "$row $((SECONDS - started))" >> "$LOGS/summary"
  [ "$(cut -d' ' -f3 <<< "$row")" = 0 ]
}

summary() {
  echo
  awk -v total=$SECONDS '
    BEGIN {format = "%-10s %7s %7s %7s %6s\n"; printf format, "tier", "passed", "failed", "skipped", "s"}
    {printf format, $1, $2, $3, $4, $5; passed += $2; failed += $3; skipped += $4}
    END {
      printf "\n%d s in all: some tiers run beside others\n", total
      printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
      exit failed > 0
    }' "$LOGS/summary"
}

main() {
  local tier
  for tier; do
    [[ " ${TIERS[*]} " == *" $tier "* ]] || { echo "no tier $tier; there are: ${TIERS[*]}" >&2; exit 2; }
  done
  mkdir -p "$LOGS"
  : > "$LOGS/summary"
  packaging/apt/install.sh build package test || exit 1
  if report build; then
    set -- "${@:-${TIERS[@]}}"
    trap '[ ${#BEGUN[@]} = 0 ] || kill -- "${BEGUN[@]/#/-}" 2> /dev/null' EXIT
    for tier in "${BACKGROUND[@]}"; do [[ " $* " != *" $tier "* ]] || begin "$tier"; done
    for tier; do report "$tier"; done
  fi
  summary
}

main "$@"
