# Read by `sh -s -- BOOTS PACKAGE...` in a container of the base image, as root: installs packages as a role would, with nothing of one host.
# BOOTS: units that may start before the playbooks, as "unit unit". What it says last on stderr is why it failed.
set -eu
boots=" $1 "
shift
export DEBIAN_FRONTEND=noninteractive
before=$(mktemp -d)

# No service starts while it is installed.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

enabled() { find /etc/systemd/system -mindepth 2 -path '*.wants/*' -o -mindepth 2 -path '*.requires/*' | sort; }
scripts() { find /etc/rc[2-5].d -name 'S*' -printf '%f\n' | sed 's/^S[0-9]*//' | sort -u; }
enabled >"$before/enabled"
scripts >"$before/scripts"

# Every index or none: with half of them an older package could be taken for the newest.
if ! ls /var/lib/apt/lists/*_InRelease >/dev/null 2>&1; then
  apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o APT::Update::Error-Mode=any update >/dev/null
fi
# Not synced to disk: an image that is not whole is never used.
apt-get -qq --yes --no-install-recommends -o Acquire::Retries=3 -o Acquire::http::Timeout=20 \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io install "$@" >/dev/null

# A role starts what it has configured. Until then nothing of it may run.
for link in $(enabled | comm -13 "$before/enabled" -); do
  unit=${link##*/}
  case $unit in *.service | *.socket) ;; *) continue ;; esac
  case $boots in *" $unit "*) continue ;; esac
  SYSTEMCTL_SKIP_SYSV=1 systemctl --quiet disable "$unit" 2>/dev/null
done
for name in $(scripts | comm -13 "$before/scripts" -); do
  [ -e "/lib/systemd/system/$name.service" ] || { echo "$name has no systemd unit that could wait for its playbook" >&2; exit 1; }
done
waits=$(enabled | comm -13 "$before/enabled" - | grep -E '\.(service|socket)$' | sed 's|.*/||' | while read -r unit; do
  case $boots in *" $unit "*) ;; *) echo "$unit" ;; esac; done)
[ -z "$waits" ] || { echo "$waits would start before its playbook" >&2; exit 1; }

# What makes one host that host comes with its first boot.
rm -rf "$before" /usr/sbin/policy-rc.d /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/*.log /var/log/apt/* /tmp/* /var/tmp/*
: >/etc/machine-id
secret=$(grep -rlIs -m1 -e '-----BEGIN .*PRIVATE KEY-----' /etc /root /home /usr/local /opt /srv /var/lib \
  --exclude-dir=apt --exclude-dir=dpkg | head -n 1 || true)
[ -z "$secret" ] || { echo "$secret holds a private key, which every server would share" >&2; exit 1; }
