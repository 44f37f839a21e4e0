#!/usr/bin/env bash
# Builds the benchmark's image: an OCI layout of real Debian software, one gzip layer a stack, some 1.9 GB of tar.
#
#   tests/bench/image.sh DIR        writes DIR/image (about 700 MB); needs root, debootstrap, apt-get
#
# Packages are only unpacked, not configured: content is what counts here. Fetched packages are not kept in it, as in
# published images. PLAIN=1 leaves out compressed files by their endings: `igzip` of the layers does not decompress those.
set -euo pipefail
out=${1:?where to write}
mkdir -p "$out/debs" "$out/image/blobs/sha256"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

stacks=(
    "openjdk-17-jre-headless openjdk-17-jdk-headless"
    "python3.11 python3.11-minimal libpython3.11-stdlib libpython3.11-testsuite python3-numpy python3-scipy python3-pandas python3-django python3-botocore"
    "libnode108 nodejs node-typescript npm libjs-jquery"
    "gcc-12 g++-12 cpp-12 libstdc++-12-dev libgcc-12-dev libc6-dev"
    "llvm-14 libllvm14 clang-14 libclang-cpp14 libclang-common-14-dev"
    "golang-1.19-go golang-1.19-src"
    "postgresql-15 mariadb-server-core redis-server nginx-core samba-testsuite ansible"
    "rustc libstd-rust-dev"
)

size() { stat -c %s "$1"; }
diff_ids= layers= history=
# add NAME ROOT: one layer
add() {
    local tar=$out/layer.tar
    local without=(--exclude='./var/cache/apt/archives/*.deb')
    [ -z "${PLAIN:-}" ] || for kind in gz bz2 xz zst zip jar whl deb; do without+=(--exclude="*.$kind"); done
    tar "${without[@]}" --sort=name --numeric-owner --mtime=@0 -C "$2" -cf "$tar" .
    local diff_id; diff_id=$(sha256sum "$tar" | cut -d' ' -f1)
    gzip -6 -n -c "$tar" >"$tar.gz"; rm "$tar"
    local digest; digest=$(sha256sum "$tar.gz" | cut -d' ' -f1)
    layers+="${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$(size "$tar.gz")}"
    diff_ids+="${diff_ids:+,}\"sha256:$diff_id\""
    history+="${history:+,}{\"created_by\":\"RUN /bin/sh -c apt-get install -y $1 # buildkit\"}"
    mv "$tar.gz" "$out/image/blobs/sha256/$digest"
}

[ -d "$out/base" ] || debootstrap --variant=minbase "$suite" "$out/base" >/dev/null
add base "$out/base"
for stack in "${stacks[@]}"; do
    root=$out/root; rm -rf "$root"; mkdir "$root"
    for package in $stack; do
        deb=$(find "$out/debs" -name "${package}_*.deb" | head -n 1)
        [ -n "$deb" ] || { (cd "$out/debs" && apt-get download -q "$package" >/dev/null) || { echo "$package: left out"; continue; }; }
        deb=$(find "$out/debs" -name "${package}_*.deb" | head -n 1)
        dpkg-deb -x "$deb" "$root"
    done
    add "$stack" "$root"
done

blob() { # blob TEXT: writes it and prints its digest
    local file; file=$(mktemp -p "$out"); printf %s "$1" >"$file"
    local digest; digest=$(sha256sum "$file" | cut -d' ' -f1)
    mv "$file" "$out/image/blobs/sha256/$digest"; echo "$digest"
}
config="{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"10001\",\"Cmd\":[\"/bin/true\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diff_ids]},\"history\":[$history]}"
config_digest=$(blob "$config")
manifest="{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$config_digest\",\"size\":${#config}},\"layers\":[$layers]}"
manifest_digest=$(blob "$manifest")
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"bench"}}]}' \
    "$manifest_digest" "${#manifest}" >"$out/image/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$out/image/oci-layout"
rm -rf "$out/root"
du -sh "$out/image"
