#!/usr/bin/env bash
# Builds real images that have little wrong with them, for tests/real_images.rs: what must stay silent in them.
#
#   tests/real/more.sh DIR     behind tests/real/build.sh DIR, whose base it takes; needs a Debian mirror
#
# DIR/more/services    servers from packages (a web server, a database, sshd, cron) as their packages leave them
# DIR/more/distroless  one static program, accounts and a package list, no shell
# DIR/more/alpine      busybox under its many names, with Alpine's accounts and package database
#
# tests/real/more.expected lists what must be found at medium and above.
set -euo pipefail
cd "${1:?the folder that build.sh filled}"
mkdir -p more
cd more
# image NAME ROOTFS TEXT OPTION...: ROOTFS as an image of one layer
image() {
	local name=$1 rootfs=$2 text=$3
	shift 3
	rm -rf "$name" bundle
	umoci init --layout "$name"
	umoci new --image "$name:app"
	umoci unpack --image "$name:app" bundle
	cp -a "$rootfs/." bundle/rootfs/
	umoci repack --image "$name:app" --history.created_by "$text" bundle
	umoci config --image "$name:app" "$@"
	rm -rf bundle
}

# Packages are installed as a Dockerfile would: no service starts, nothing recommended comes along.
rm -rf root
cp -a ../base root
cp /etc/resolv.conf root/etc/
printf '#!/bin/sh\nexit 101\n' >root/usr/sbin/policy-rc.d; chmod 755 root/usr/sbin/policy-rc.d
chroot root sh -ec 'export DEBIAN_FRONTEND=noninteractive
	apt-get update
	apt-get install -y --no-install-recommends nginx-light postgresql openssh-server cron rsyslog ca-certificates busybox-static
	SUDO_FORCE_REMOVE=yes apt-get purge -y sudo
	apt-get clean' >install.log 2>&1
rm -rf root/var/lib/apt/lists/* root/usr/sbin/policy-rc.d root/etc/resolv.conf
image services root "RUN /bin/sh -c apt-get update && apt-get install -y nginx-light postgresql && rm -rf /var/lib/apt/lists/* # buildkit" \
	--config.cmd nginx --config.cmd -g --config.cmd 'daemon off;' --config.exposedports 80/tcp
cp root/bin/busybox busybox

rm -rf root
mkdir -p root/{etc,usr/bin,usr/lib,var/lib/dpkg/status.d,home/nonroot}
install -d -m 1777 root/tmp
cp ../base/usr/lib/os-release root/usr/lib/
ln -s ../usr/lib/os-release root/etc/os-release
printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin' \
	'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >root/etc/passwd
printf '%s\n' root:x:0: nobody:x:65534: staff:x:50: nonroot:x:65532: >root/etc/group
printf 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n' >root/var/lib/dpkg/status.d/base
cp busybox root/usr/bin/server
chown 65532:65532 root/home/nonroot
image distroless root "COPY server /usr/bin/server # buildkit" --config.entrypoint /usr/bin/server --config.user 65532

rm -rf root
mkdir -p root/{bin,sbin,usr/bin,usr/sbin,root,etc/apk,etc/crontabs,lib/apk/db,var/cache/apk,var/spool/cron}
install -d -m 1777 root/tmp root/var/tmp
cp busybox root/bin/busybox
cp busybox root/bin/bbsuid; chmod 4111 root/bin/bbsuid
for name in sh ash ls cat su mount ping nc wget telnet; do ln -s /bin/busybox "root/bin/$name"; done
for name in init crond syslogd; do ln -s /bin/busybox "root/sbin/$name"; done
ln -s ../../etc/crontabs root/var/spool/cron/crontabs
printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\n' >root/etc/os-release
printf '%s\n' root:x:0:0:root:/root:/bin/sh bin:x:1:1:bin:/bin:/sbin/nologin sync:x:5:0:sync:/sbin:/bin/sync \
	shutdown:x:6:0:shutdown:/sbin:/sbin/shutdown guest:x:405:100:guest:/dev/null:/sbin/nologin \
	nobody:x:65534:65534:nobody:/:/sbin/nologin >root/etc/passwd
printf '%s\n' root:x:0:root bin:x:1:root,bin adm:x:4:root,daemon disk:x:6:root wheel:x:10:root shadow:x:42: users:x:100:games >root/etc/group
printf '%s\n' 'root:*::0:::::' 'bin:!::0:::::' 'sync:!::0:::::' 'guest:!::0:::::' 'nobody:!::0:::::' >root/etc/shadow
printf 'P:busybox\nV:1.37.0-r18\nA:x86_64\nF:bin\nR:busybox\n\nP:busybox-suid\nV:1.37.0-r18\nA:x86_64\nF:bin\nR:bbsuid\na:0:0:4111\n\n' >root/lib/apk/db/installed
printf 'https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n' >root/etc/apk/repositories
printf '0 2 * * * run-parts /etc/periodic/daily\n' >root/etc/crontabs/root
image alpine root "ADD alpine-minirootfs-3.22.1-x86_64.tar.gz / # buildkit" --config.cmd /bin/sh
rm -rf root busybox
echo "built in $PWD"
