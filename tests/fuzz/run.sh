#!/usr/bin/env bash
# Fuzzes the readers of foreign bytes, one target after another on one core.
#
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     default: 600 seconds each of keys, search, texts and archives
#
# Needs `cargo install cargo-fuzz`. What breaks a target lies in tests/fuzz/artifacts: mend it with a
# unit test beside the reader. What was reached is kept in tests/fuzz/corpus, and the next run goes on from there.
set -euo pipefail
seconds=${1:-600}; shift || true
[ $# -gt 0 ] || set -- keys search texts archives
cd "$(dirname "$0")"; fuzz=$PWD; cd ../..
for target in "$@"; do mkdir -p "$fuzz/corpus/$target"; done

# Stores that only other tools write, where they are.
keys=$fuzz/corpus/keys; made=$(mktemp -d); trap 'rm -rf "$made"' EXIT
if [ -d "$keys" ]; then
    keep() { [ ! -s "$made/$1" ] || { printf '\007'; cat "$made/$1"; } >"$keys/tool-$1"; }
    (
        cd "$made"
        openssl req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out cert.pem -days 9 -subj /CN=x
        openssl pkcs12 -export -inkey key.pem -in cert.pem -passout pass:changeit -out new.p12
        openssl pkcs12 -export -legacy -inkey key.pem -in cert.pem -passout pass:changeit -out old.p12
        openssl pkcs8 -topk8 -in key.pem -outform DER -passout pass:x -out locked.der
        keytool -genkeypair -alias x -keyalg EC -storetype JKS -keystore x.jks -storepass changeit -dname CN=x
        ssh-keygen -q -t ed25519 -N x -f locked.ssh
    ) >/dev/null 2>&1 || true
    for name in key.pem new.p12 old.p12 locked.der x.jks locked.ssh; do keep "$name"; done
fi
# Words of the tables, so that not all of them have to be guessed.
words() { grep -hoE '"[A-Za-z0-9_.:/=<>@ -]{2,40}"' "$@" | sort -u; }
words src/facts/secrets/configs/rows/*.rs src/facts/secrets/keys/*.rs src/facts/secrets/*.rs >"$fuzz/corpus/words.dict"

for target in "$@"; do
    case $target in search) longest=4096;; archives) longest=16384;; *) longest=8192;; esac
    PLIMSOLL_SEEDS=$fuzz/corpus cargo fuzz run --fuzz-dir "$fuzz" --sanitizer none "$target" -- \
        -max_total_time="$seconds" -max_len="$longest" -timeout=20 -rss_limit_mb=1024 \
        -dict="$fuzz/corpus/words.dict" -print_final_stats=1
done
