#!/bin/sh
# Called by mmdebstrap with the new root as $1, after the packages are in: makes a plain Debian into what a server looks like before Ansible.
set -eu
root=$1
overlay=$(dirname "$0")/rootfs

# Only modes and contents count, so that the result does not depend on who checked the repository out.
cp -R --no-preserve=ownership "$overlay/." "$root/"
find "$overlay" -type d -printf '%P\0' | (cd "$root" && xargs -0 -I{} chmod 0755 "./{}")
find "$overlay" -type f -printf '%P\0' | (cd "$root" && xargs -0 -I{} chmod 0644 "./{}")
chmod 0440 "$root/etc/sudoers.d/steward"
install -d -m 0755 "$root/etc/steward"

# "*" is no valid password hash and, unlike "!", no locked account: keys work, passwords never do.
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash --password '*' steward
install -d -m 0700 -o 1000 -g 1000 "$root/home/steward/.ssh"
chroot "$root" visudo --check --quiet

chroot "$root" systemctl --quiet enable steward-edge.service ssh.service
# These need a kernel, a console or block devices of their own; in a container they fail or wait.
for unit in systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    systemd-modules-load.service systemd-logind.service systemd-remount-fs.service systemd-firstboot.service \
    dev-hugepages.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    proc-sys-fs-binfmt_misc.automount console-getty.service getty.target fstrim.timer e2scrub_all.timer e2scrub_reap.service; do
  ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
chroot "$root" systemctl --quiet set-default multi-user.target

rm -f "$root"/etc/ssh/ssh_host_*
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/*.log "$root"/var/log/apt/*
# Empty, not missing: every server makes its own, and systemd does not take the boot for a first one (which would enable every unit there is).
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/etc/hostname" "$root/etc/resolv.conf"
