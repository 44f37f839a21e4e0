#!/usr/bin/env bash
# Times a whole scan against plain decompression of the same layers on the same cores.
#
#   tests/bench/run.sh DIR [RUNS]    DIR as written by tests/bench/image.sh; needs igzip (package isal) and GNU time
#
# Prints medians of RUNS alternating runs (default 5): wall of `plimsoll` on all cores and on one, wall of igzip on all
# cores, the two ratios and the peak memory. docs/performance.md holds the figures and how to read them.
set -euo pipefail
dir=${1:?where tests/bench/image.sh wrote}; runs=${2:-5}
cd "$(dirname "$0")/../.."
cargo build --release --locked --quiet
plimsoll=target/release/plimsoll; cores=$(nproc)
blobs=$(mktemp); ls -S "$dir"/image/blobs/sha256/* | head -n -2 >"$blobs"       # largest first; config and manifest are last

wall() { # wall COMMAND...: seconds; memory in KiB to $memory
    local mark; mark=$(mktemp)
    /usr/bin/time -o "$mark" -f '%e %M' "$@" >/dev/null 2>&1 || true
    tail -n 1 "$mark"; rm "$mark"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

all=() one=() igzip=() memory=()
$plimsoll --quiet "$dir/image" >/dev/null 2>&1 || true                            # warm page cache
for _ in $(seq "$runs"); do
    read -r seconds kib < <(wall "$plimsoll" --quiet --threads "$cores" "$dir/image"); all+=("$seconds"); memory+=("$kib")
    read -r seconds _ < <(wall sh -c "xargs -P$cores -n1 igzip -dc <$blobs >/dev/null"); igzip+=("$seconds")
    read -r seconds _ < <(wall "$plimsoll" --quiet --threads 1 "$dir/image"); one+=("$seconds")
done
a=$(printf '%s\n' "${all[@]}" | median); o=$(printf '%s\n' "${one[@]}" | median); g=$(printf '%s\n' "${igzip[@]}" | median)
m=$(printf '%s\n' "${memory[@]}" | median)
echo "cores                 $cores"
echo "plimsoll, all cores   $a s   (${all[*]})"
echo "plimsoll, one thread  $o s   (${one[*]})"
echo "igzip -dc, all cores  $g s   (${igzip[*]})"
awk -v a="$a" -v o="$o" -v g="$g" -v m="$m" 'BEGIN {
    printf "against igzip         %.2f   (target 1.6, must stay under 1.9)\n", a / g
    printf "all cores / one       %.2f   (at most 0.6)\n", a / o
    printf "peak memory           %.0f MB (target 64, must stay under 150)\n", m / 1024 }'
rm "$blobs"
