#!/bin/sh
# Makes src/facts/secrets/keys/known.txt: digests of private keys that packages ship for their tests and documents, so
# that the scan can tell them from keys that matter. Fetches the packages of test-key-sources.txt with apt-get, pip and
# npm, takes the sources of the Go that is installed, unpacks them with what archives they hold, and asks this very
# program for the keys in them: what stands in the list is what the scan computes.
#
#   tests/secrets/harvest-test-keys.sh [FOLDER]     FOLDER keeps the downloads for the next time
#
# Needs Debian's apt-get and dpkg-deb, pip, npm, go, python3, and cargo.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$here/../..
work=${1:-$(mktemp -d)}
mkdir -p "$work/packages" "$work/tree"

grep -v '^#' "$here/test-key-sources.txt" | while read -r index name; do
    folder=$work/packages/$index-$name
    [ ! -d "$folder" ] || continue
    mkdir "$folder.part"
    if ( cd "$folder.part" && case $index in
        debian) apt-get download "$name" ;;
        pypi) pip download --quiet --no-deps "$name" ;;
        sdist) timeout 180 pip download --quiet --no-deps --no-binary :all: "$name" ;;
        npm) npm pack --silent "$name" ;;
        go) tar -c --format=ustar -f "$(go env GOVERSION)-$name.tar" -C "$(go env GOROOT)" "$name" ;;
        esac ) </dev/null >"$work/fetch.log" 2>&1; then
        mv "$folder.part" "$folder"
    else
        echo "$index $name: not fetched" >&2
        rm -rf "$folder.part"
    fi
done

python3 "$here/harvest_test_keys.py" unpack "$work"
cargo build --quiet --release --manifest-path "$root/Cargo.toml"
python3 "$here/harvest_test_keys.py" list "$work" "$root" "${CARGO_TARGET_DIR:-$root/target}/release/plimsoll"
