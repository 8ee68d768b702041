# What a converge leaves that was killed: a package unpacked and not set up, files cut off, contents never put in place.
set -eu
cd /tmp
apt-get -qq download logrotate libpopt0 2>/dev/null
dpkg --unpack logrotate_*.deb libpopt0_*.deb >/dev/null 2>&1
dpkg --status logrotate | grep -q 'half-configured\|unpacked'
printf 'PermitRootLogin no\nPasswordAuth' >/etc/ssh/sshd_config.d/10-steward.conf
mkdir -p /etc/steward
printf 'table inet steward_host {\n' >/etc/steward/host.nft
printf '%%steward-people ALL=(ALL' >/etc/sudoers.d/.steward-abcdefgh
printf '{"not_appl' >/etc/steward/baseline.json
printf 'kernel.sysrq' >/etc/sysctl.d/zz-steward.conf
