#!/usr/bin/env bash
# Times plimsoll and Kingfisher side by side: on loose programs and text with one core, and on a whole image.
#
#   tests/bench/kingfisher.sh IMAGE FILES WORK [RUNS]
#
#   IMAGE   an OCI layout, such as DIR/image of tests/bench/image.sh; `-` leaves the image out
#   FILES   a folder with programs and text, such as an unpacked distribution; `-` leaves the files out
#   WORK    where to keep Kingfisher (some 200 MB), the image as one tar and copies of files (at most 512 MB)
#
# Needs GNU time, taskset, python3 with venv and a package index, or KINGFISHER=path of the program. Prints medians of RUNS
# (default 3) alternating runs: wall, user and system seconds, peak memory, and Kingfisher's divided by plimsoll's.
# Kingfisher asks no service whether a secret is valid, looks for no update, and has compiled its rules before it is timed.
set -euo pipefail
image=${1:?an OCI layout, or -}; files=${2:?a folder, or -}; work=${3:?where to work}; runs=${4:-3}
mkdir -p "$work"; work=$(cd "$work" && pwd)
[ "$image" = - ] || image=$(cd "$image" && pwd)
[ "$files" = - ] || files=$(cd "$files" && pwd)
cd "$(dirname "$0")/../.."
plimsoll=${PLIMSOLL:-target/release/plimsoll}
[ -n "${PLIMSOLL:-}" ] || cargo build --release --locked --quiet
if [ -z "${KINGFISHER:-}" ]; then
    [ -d "$work/venv" ] || python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet kingfisher-bin==2.14.0
    # The program itself, not the script around it that starts an interpreter.
    KINGFISHER=$(find "$work/venv" -path '*/kingfisher/bin/kingfisher' -type f | head -n 1)
fi
kingfisher=$KINGFISHER
[ -x "$kingfisher" ] || { echo "Kingfisher does not run: '$kingfisher'" >&2; exit 1; }
quiet=(--no-update-check --quiet --no-validate --rule-cache-dir "$work/rules" --format json --output "$work/kingfisher.json")

# timed NAME COMMAND...: adds a line of wall, user, system, KiB to the file NAME; 0 and all codes of findings are well
timed() {
    local name=$work/$1.times mark=$work/mark; shift
    /usr/bin/time -o "$mark" -f '%e %U %S %M' "$@" >"$work/out" 2>"$work/err" || true
    tail -n 1 "$mark" >>"$name"
}
column() { awk -v c="$2" '{ print $c }' "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { # row LABEL NAME
    printf '%-34s %9s %9s %9s %9.0f\n' "$1" "$(column "$2" 1)" "$(column "$2" 2)" "$(column "$2" 3)" \
        "$(awk -v k="$(column "$2" 4)" 'BEGIN { print k / 1024 }')"
}
ratios() { # ratios NAME NAME
    local part; for part in "1 wall" "2 user" "cpu user+sys" "4 memory"; do
        local a b c=${part%% *}
        if [ "$c" = cpu ]; then
            a=$(awk '{ print $2 + $3 }' "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
            b=$(awk '{ print $2 + $3 }' "$work/$2.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
        else
            a=$(column "$1" "$c"); b=$(column "$2" "$c")
        fi
        awk -v a="$a" -v b="$b" -v what="${part#* }" 'BEGIN { printf "    Kingfisher / plimsoll, %-9s %6.1f\n", what, b / (a > 0.001 ? a : 0.001) }'
    done
}
head_line() { printf '%-34s %9s %9s %9s %9s\n' "$1" "wall s" "user s" "sys s" "peak MB"; }
findings() { # how many each told, of the last runs
    python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
def count(path, what):
    try:
        return what(json.load(open(path)))
    except (OSError, ValueError) as error:
        return f"not read ({error})"
ours = count(f"{work}/plimsoll.json", lambda told: sum(len(image["findings"]) for image in told["images"]))
theirs = count(f"{work}/kingfisher.json", lambda told: len(told["findings"]))
print(f"    findings: plimsoll {ours} (those of all its rules), Kingfisher {theirs}")
PY
}
ours() { printf '%s\n' "$plimsoll" --quiet --output json --fail-on never; }
rm -f "$work"/*.times

# Rules are compiled once and kept: not a part of what is timed.
mkdir -p "$work/empty"
timed warm "$kingfisher" scan "$work/empty" "${quiet[@]}" --jobs 1
for _ in $(seq "$runs"); do timed start "$kingfisher" scan "$work/empty" "${quiet[@]}" --jobs 1; done

if [ "$files" != - ]; then
    # Programs are ELF, text has a name of text, at most 256 MB of each: as `cargo bench --bench scan FILES` chooses.
    python3 - "$files" "$work" <<'PY'
import hashlib, io, json, os, shutil, sys, tarfile
files, work = sys.argv[1:]
TEXT = set("py js md json yaml yml ts txt go c h rs sh".split())
MOST = 256 << 20
sizes = {"programs": 0, "text": 0}
for kind in sizes:
    shutil.rmtree(f"{work}/{kind}", ignore_errors=True)
    os.makedirs(f"{work}/{kind}")
for folder, folders, names in os.walk(files):
    folders.sort()
    for name in sorted(names):
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        end = name.rsplit(".", 1)[-1] if "." in name else ""
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            kind = "programs" if file.read(4) == b"\x7fELF" else "text" if end in TEXT else None
        if kind and 0 < size and sizes[kind] + size < MOST:
            sizes[kind] += size
            to = f"{work}/{kind}/{os.path.relpath(path, files)}"
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(path, to)
for kind, size in sizes.items():
    print(f"{kind}: {size / 1e6:.0f} MB")
    # The same files as an image of one layer that is not compressed.
    layout = f"{work}/{kind}.image"
    shutil.rmtree(layout, ignore_errors=True)
    os.makedirs(f"{layout}/blobs/sha256")
    layer = f"{layout}/layer"
    with tarfile.open(layer, "w") as tar:
        tar.add(f"{work}/{kind}", arcname="files")
    def digest(path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    def blob(path):
        sum, size = digest(path), os.path.getsize(path)
        os.rename(path, f"{layout}/blobs/sha256/{sum}")
        return {"digest": f"sha256:{sum}", "size": size}
    def text(value):
        with open(f"{layout}/text", "w") as file:
            json.dump(value, file)
        return f"{layout}/text"
    media = "application/vnd.oci.image."
    entry = {"mediaType": media + "layer.v1.tar", **blob(layer)}
    config = {"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": [entry["digest"]]}}
    config = {"mediaType": media + "config.v1+json", **blob(text(config))}
    manifest = {"schemaVersion": 2, "mediaType": media + "manifest.v1+json", "config": config, "layers": [entry]}
    manifest = {"mediaType": media + "manifest.v1+json", **blob(text(manifest))}
    os.rename(text({"schemaVersion": 2, "manifests": [manifest]}), f"{layout}/index.json")
    with open(f"{layout}/oci-layout", "w") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')
PY
    for kind in programs text; do
        find "$work/$kind" "$work/$kind.image" -type f -exec cat {} + >/dev/null          # warm page cache
        for _ in $(seq "$runs"); do
            timed "ours-$kind" taskset -c 0 $(ours) --threads 1 "$work/$kind.image"; mv "$work/out" "$work/plimsoll.json"
            timed "theirs-$kind" taskset -c 0 "$kingfisher" scan "$work/$kind" "${quiet[@]}" --jobs 1 --git-history none
        done
        head_line "$kind, one core"
        row "plimsoll, as a layer, all checks" "ours-$kind"
        row "Kingfisher, as files" "theirs-$kind"
        row "Kingfisher, no file at all" start
        ratios "ours-$kind" "theirs-$kind"; findings
    done
    if [ -z "${PLIMSOLL:-}" ]; then
        echo "the search alone, of processor time:"
        ONLY=programs taskset -c 0 cargo bench --quiet --locked --bench scan -- "$work/programs" "$work/text"
    fi
fi

if [ "$image" != - ]; then
    tar -C "$image" -cf "$work/image.tar" .
    cat "$work/image.tar" >/dev/null
    for _ in $(seq "$runs"); do
        timed ours-image $(ours) "$work/image.tar"; mv "$work/out" "$work/plimsoll.json"
        # With its limits it refuses archives of some hundred megabytes.
        rm -f "$work/kingfisher.json"
        timed theirs-image "$kingfisher" scan docker --archive "$work/image.tar" "${quiet[@]}" --no-limits --jobs "$(nproc)"
    done
    head_line "a whole image, $(nproc) cores"
    row "plimsoll" ours-image
    row "Kingfisher" theirs-image
    ratios ours-image theirs-image; findings
    # Some archives it does not read at all: then a time says nothing.
    [ -s "$work/kingfisher.json" ] || { echo "Kingfisher did not scan the image:"; head -n 5 "$work/err"; exit 1; }
fi
