# A host that somebody hardened, each in his own way, and that goes on as it is until it is converged.
set -eu
export DEBIAN_FRONTEND=noninteractive
# As on a machine of its own the settings of its network can be changed; those of the kernel stay refused.
cat >/etc/systemd/system/open-net.service <<'EOF'
[Unit]
DefaultDependencies=no
Before=systemd-sysctl.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --bind /proc/sys/net /proc/sys/net
ExecStart=mount -o remount,bind,rw /proc/sys/net
[Install]
WantedBy=sysinit.target
EOF
systemctl --quiet daemon-reload
systemctl --quiet enable --now open-net.service
apt-get -qq update
apt-get -qq install --yes --no-install-recommends cron >/dev/null 2>&1
cat >/etc/ssh/sshd_config.d/00-hand.conf <<'EOF'
PasswordAuthentication yes
PermitRootLogin yes
MaxAuthTries 10
X11Forwarding yes
PrintLastLog no
EOF
sed -i '1i PermitRootLogin yes' /etc/ssh/sshd_config
printf 'net.ipv4.conf.all.send_redirects = 1\nnet.ipv4.tcp_syncookies = 0\n' >/etc/sysctl.d/99-zhand.conf
sysctl -q -w net.ipv4.conf.all.send_redirects=1 net.ipv4.tcp_syncookies=0
printf '#!/usr/sbin/nft -f\ntable inet hand {\n\tchain input { type filter hook input priority 10; tcp dport 23 drop; }\n}\n' >/etc/nftables.conf
nft -f /etc/nftables.conf
echo deploy >/etc/cron.allow
chmod 0644 /etc/cron.allow
printf 'TMOUT=300\nreadonly TMOUT\numask 077\n' >/etc/profile.d/hand.sh
useradd --create-home --shell /bin/bash deploy
passwd --quiet --delete deploy
useradd --system --shell /bin/bash --password '$6$x$hash' legacy
chmod 0777 /home/deploy
chage --lastday "$(date -d "-50 days" +%F)" --maxdays 60 steward
# The account that is in use must not depend on sudoers.d: somebody removed it and put the grant into the main file.
sed -i '/^@includedir/d' /etc/sudoers
echo 'steward ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
rm -r /etc/sudoers.d
echo 'Mine.' >/etc/issue
chattr +i /etc/issue /etc/login.defs
