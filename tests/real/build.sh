#!/usr/bin/env bash
# Builds real images from Debian with real tools, for tests/real_images.rs.
#
#   tests/real/build.sh DIR     needs root, debootstrap, umoci, skopeo; a few minutes the first time
#
# DIR/planted  an OCI layout with planted defects (tests/real/planted.expected lists what must be found)
# DIR/clean    the same base, hardened: nothing at medium or above may be found
# DIR/doors/   the planted image through every door: docker archive, OCI archive, compressed, zstd layers,
#              podman's and buildah's own (each where the tool is there and can; DIR/doors.log says which could not)
set -euo pipefail
out=$(mkdir -p "${1:?where to write}" && cd "$1" && pwd)
cd "$out"
suite=${SUITE:-bookworm}
[ -d base ] || debootstrap --variant=minbase --include=sudo "$suite" base >/dev/null

rm -rf planted clean bundle
umoci init --layout planted
umoci new --image planted:app
umoci unpack --image planted:app bundle
root=bundle/rootfs
# step TEXT: what was done to bundle/rootfs becomes a layer with that instruction
step() { umoci repack --image planted:app --refresh-bundle --history.created_by "$1" bundle; }

# The distribution as debootstrap leaves it, without what only some mirrors leave: the first layer of both images.
cp -a base/. $root/
rm -rf $root/var/lib/apt/lists/* $root/var/cache/apt/*.bin $root/var/cache/apt/archives/*.deb $root/var/log/bootstrap.log
step "ADD rootfs.tar.xz / # buildkit"
cp -a planted clean

# Sudo for everybody, a setuid shell, capabilities, odd accounts.
echo 'app ALL=(ALL) NOPASSWD: ALL' >$root/etc/sudoers.d/app
cp $root/bin/dash $root/usr/local/bin/rootsh; chmod 4755 $root/usr/local/bin/rootsh
cp $root/bin/true $root/usr/local/bin/netadmin; setcap cap_net_admin,cap_sys_admin+ep $root/usr/local/bin/netadmin
cp $root/bin/true $root/usr/local/bin/bindlow; setcap cap_net_bind_service+ep $root/usr/local/bin/bindlow
echo 'app:x:1000:1000::/home/app:/bin/bash' >>$root/etc/passwd
echo 'twin:x:1000:1000::/home/twin:/bin/bash' >>$root/etc/passwd
echo 'toor:x:0:0::/root:/bin/bash' >>$root/etc/passwd
echo 'app:x:1000:' >>$root/etc/group
echo 'app::19000:0:99999:7:::' >>$root/etc/shadow
sed -i 's/^sudo:x:27:.*/sudo:x:27:app/' $root/etc/group
step "RUN /bin/sh -c apt-get update && apt-get install -y sudo && useradd app # buildkit"

# A repository that came along, package lists, a world-writable file, a secret.
mkdir -p $root/srv/app/.git/objects/4b $root/srv/app/.git/refs/heads $root/var/lib/apt/lists $root/srv/app/config
echo 'ref: refs/heads/main' >$root/srv/app/.git/HEAD
printf '[core]\n\tbare = false\n' >$root/srv/app/.git/config
echo blob >$root/srv/app/.git/objects/4b/825dc642cb6eb9a060e54bf8d69288fbee4904
head -c 2000000 /dev/zero | tr '\0' 'x' >$root/var/lib/apt/lists/deb.debian.org_debian_dists_packages
# A token with a valid checksum, made here so that none stands in the repository.
python3 - >$root/srv/app/config/deploy.env <<'P'
import zlib
body = "plimsollplantedtoken0123456789"
digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
check, crc = "", zlib.crc32(body.encode())
while crc: check, crc = digits[crc % 62] + check, crc // 62
print("GITHUB_TOKEN=" + "gh" + "p_" + body + check.rjust(6, "0"))
P
printf '#!/bin/sh\nsleep infinity\n' >$root/srv/app/run.sh; chmod 755 $root/srv/app/run.sh
echo 'debug = true' >$root/srv/app/settings.ini; chmod 666 $root/srv/app/settings.ini
step "COPY . /srv/app # buildkit"

printf '#!/bin/sh\n' >$root/opt/install.sh
step "ADD https://example.com/install.sh /opt/ # buildkit"

# Deletes the secret, which still ships.
rm $root/srv/app/config/deploy.env
step "RUN /bin/sh -c rm /srv/app/config/deploy.env # buildkit"
umoci config --image planted:app --config.cmd /srv/app/run.sh --config.env DB_PASSWORD=hunter2example \
	--config.exposedports 22/tcp --config.volume /usr
rm -rf bundle

# The clean image: no setuid bits, no sudo, an unprivileged user by number, one process.
umoci unpack --image clean:app bundle
find $root -xdev -type f -perm /6000 -exec chmod ug-s {} +
rm -rf $root/usr/bin/sudo* $root/usr/bin/cvtsudoers $root/etc/sudoers*
echo 'app:x:10001:10001::/nonexistent:/usr/sbin/nologin' >>$root/etc/passwd
echo 'app:x:10001:' >>$root/etc/group
echo 'app:*:19000:0:99999:7:::' >>$root/etc/shadow
printf '#!/bin/sh\nexec sleep infinity\n' >$root/usr/local/bin/app; chmod 755 $root/usr/local/bin/app
umoci repack --image clean:app --history.created_by "COPY app /usr/local/bin/app # buildkit" bundle
umoci config --image clean:app --config.user 10001:10001 --config.entrypoint /usr/local/bin/app
rm -rf bundle

# Doors. A tool that is missing or cannot here is said in doors.log and costs one door, not the test.
rm -rf doors; mkdir doors; : >doors.log
door() { "$@" >>doors.log 2>&1 || { echo "no door: $*" | tee -a doors.log; return 1; }; }
# Docker's engine keeps an image in its own format; skopeo writes that same config for a docker archive.
door skopeo copy oci:planted:app docker-archive:doors/skopeo-docker.tar:plimsoll/planted:1.0
door skopeo copy oci:planted:app oci-archive:doors/skopeo-oci.tar
gzip -1 -k doors/skopeo-docker.tar
zstd -q -1 doors/skopeo-docker.tar -o doors/skopeo-docker.tar.zst
zstd -q -1 doors/skopeo-oci.tar -o doors/skopeo-oci.tar.zst
door skopeo copy oci:planted:app oci:doors/skopeo-layout:app
door skopeo copy --dest-compress-format zstd oci:planted:app oci:doors/zstd-layout:app && tar -C doors/zstd-layout -cf doors/zstd-layout.tar .
if command -v podman >>doors.log; then
	store() { podman --root "$out/store/root" --runroot "$out/store/run" --storage-driver vfs --events-backend none --cgroup-manager cgroupfs "$@"; }
	door store load -q -i doors/skopeo-oci.tar && id=$(store images -q --no-trunc | head -1) && {
		door store save -q --format docker-archive -o doors/podman-docker.tar "$id"
		door store save -q --format oci-archive -o doors/podman-oci.tar "$id"
		door store save -q --format oci-dir -o doors/podman-layout "$id"
	}
	rm -rf store
else echo "no door: podman is missing" | tee -a doors.log; fi
if command -v buildah >>doors.log; then
	store() { buildah --root "$out/store/root" --runroot "$out/store/run" --storage-driver vfs "$@"; }
	door store pull -q oci-archive:doors/skopeo-oci.tar && id=$(store images -q --no-trunc | head -1) && {
		door store push -q "$id" docker-archive:doors/buildah-docker.tar:plimsoll/planted:1.0
		door store push -q "$id" oci-archive:doors/buildah-oci.tar
	}
	rm -rf store
else echo "no door: buildah is missing" | tee -a doors.log; fi
echo "built in $out"
