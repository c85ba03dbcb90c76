/**
 * What the openssh extension adds to Debian's packages: a service script in Tiny Core's manner and its settings.
 * A production image does not contain the extension.
 */

const serviceScript = `#!/bin/sh
# Starts and stops the SSH server: openssh start|stop|restart|status
# Settings and host keys are in /usr/local/etc/ssh; what is missing there is made at the first start.

settings=/usr/local/etc/ssh
pidfile=/var/run/sshd.pid

running() {
  [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null
}

start() {
  if running; then
    echo "openssh: already running"
    return 0
  fi
  [ -e "$settings/sshd_config" ] || cp "$settings/sshd_config.example" "$settings/sshd_config"
  for type in ed25519 ecdsa; do
    key=$settings/ssh_host_\${type}_key
    [ -s "$key" ] || /usr/local/bin/ssh-keygen -q -t "$type" -N '' -f "$key" || return 1
  done
  # sshd insists on a directory of root's that nobody else can write, and forgets it when /run is emptied.
  mkdir -p /run/sshd /var/run && chmod 0755 /run/sshd
  /usr/local/sbin/sshd -f "$settings/sshd_config"
}

stop() {
  running || return 0
  kill "$(cat "$pidfile")" && rm -f "$pidfile"
}

case "$1" in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  status)
    if running; then
      echo "openssh: running"
    else
      echo "openssh: stopped"
      exit 3
    fi
    ;;
  *)
    echo "usage: \${0##*/} start|stop|restart|status" >&2
    exit 2
    ;;
esac
`;

const serverSettings = `# Used when /usr/local/etc/ssh/sshd_config is not there.
HostKey /usr/local/etc/ssh/ssh_host_ed25519_key
HostKey /usr/local/etc/ssh/ssh_host_ecdsa_key
PidFile /var/run/sshd.pid
UsePAM no
UseDNS no
PermitRootLogin no
PermitEmptyPasswords no
PrintMotd no
Subsystem sftp internal-sftp
`;

/** Files of the extension: path → text. */
export const opensshFiles: Readonly<Record<string, string>> = {
  "usr/local/etc/init.d/openssh": serviceScript,
  "usr/local/etc/ssh/sshd_config.example": serverSettings,
};

/** sshd gives up its rights to a user of its own before anybody has logged in; without the user it does not start. */
export const opensshInstalled = `grep -q '^sshd:' /etc/group || echo 'sshd:x:74:' >> /etc/group
grep -q '^sshd:' /etc/passwd || echo 'sshd:x:74:74:SSH daemon:/run/sshd:/bin/false' >> /etc/passwd
mkdir -p /run/sshd /var/empty
chmod 0755 /run/sshd /var/empty
`;
