# Runs in the machine that `run` boots, as root.
set -uo pipefail
export HOME=~root PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /
unit=codex-app-server.service
failed=0

ok() { printf 'ok      %s\n' "$1"; }
wrong() { printf 'FAILED  %s\n' "$1"; failed=1; systemctl status --no-pager --lines=5 "$unit"; }
step() { local what=$1; shift; if "$@" > /tmp/out 2>&1; then ok "$what"; else cat /tmp/out; wrong "$what"; fi; }
# Tries the command again for up to 30 s.
soon() { for _ in $(seq 150); do "$@" && return; sleep 0.2; done; return 1; }
call() { codex-app-server call --connect ws://127.0.0.1:4500 --token-file /etc/codex-app-server.token "$@"; }
main_pid() { systemctl show --property MainPID --value "$unit"; }
shows() { systemctl show --property "$1" --value "$unit" | grep -q "$2"; }
logged() { journalctl --unit "$unit" --output cat | grep -q "$1"; }

# The words at the top of the unit.
install -Dm644 /opt/tried/config/systemd/system/codex-app-server.{service,socket} -t /etc/systemd/system/
(umask 077; head -c 32 /dev/urandom | base64 > /etc/codex-app-server.token)
mkdir -p "/etc/systemd/system/$unit.d"
printf '[Service]\nWatchdogSec=6\nEnvironment=RUST_LOG=info\n' > "/etc/systemd/system/$unit.d/quick.conf"
systemctl daemon-reload

step "it starts, and is ready" systemctl enable --quiet --now codex-app-server.socket "$unit"
step "its status counts clients" soon shows StatusText "Serving 0 clients"
step "a client with the token is served" call thread/loaded/list
step "a client without it is not" sh -c '! codex-app-server call --connect ws://127.0.0.1:4500 thread/loaded/list'

confined() {
    call command/exec '{"command":["sh","-c","echo x > /var/lib/codex-app-server/y || echo refused"]}' | grep refused
}
step "commands are confined" confined

before=$(main_pid)
step "it reloads" systemctl reload "$unit"
step "and says so" soon logged "reloaded the settings"
step "it is still the same process" [ "$(main_pid)" = "$before" ]

# A client that is refused is a failure; one that waits is not.
(while [ ! -e /tmp/enough ]; do call thread/loaded/list > /dev/null 2>> /tmp/refused || echo "a call failed" >> /tmp/refused; done) &
calls=$!
systemctl kill --signal USR2 --kill-whom main "$unit"
replaced() { [ "$(main_pid)" != "$before" ] && [ "$(main_pid)" != 0 ]; }
step "an upgrade leaves the service to another process" soon replaced
step "which systemd takes for the service" shows ActiveState active
sleep 1
touch /tmp/enough
wait "$calls"
step "and no call was refused meanwhile" sh -c '! cat /tmp/refused | grep .'

before=$(main_pid)
kill -STOP "$before"
step "the watchdog ends a server that hangs" soon logged "Watchdog timeout"
step "and another one is started" soon replaced
step "which serves" soon call thread/loaded/list

(call command/exec '{"command":["sh","-c","sleep 3; echo finished"],"sandboxPolicy":{"type":"externalSandbox","networkAccess":"restricted"}}' > /tmp/finished) &
running=$!
sleep 1
step "a stop" systemctl stop "$unit"
wait "$running"
step "lets running work finish" grep -q finished /tmp/finished
step "and is a success" shows Result success

step "a client starts the service again" soon call thread/loaded/list
echo 'nonsense = 1' > /var/lib/codex-app-server/app-server.toml
step "a wrong setting keeps it from starting" sh -c '! systemctl restart codex-app-server.service'
step "and is named" logged "nonsense"
rm /var/lib/codex-app-server/app-server.toml
systemctl reset-failed "$unit" codex-app-server.socket
step "without it, it starts" systemctl start codex-app-server.socket "$unit"
systemctl stop codex-app-server.socket "$unit"

# The unit of a user.
useradd --create-home --shell /bin/bash me
loginctl enable-linger me
mine() { runuser --user me -- env HOME=/home/me XDG_RUNTIME_DIR="/run/user/$(id -u me)" PATH="$PATH" "$@"; }
step "the user's service manager starts" soon test -S "/run/user/$(id -u me)/systemd/private"
step "service install" mine codex-app-server service install
step "serves the user" soon mine codex-app-server call thread/loaded/list
confined_too() { mine codex-app-server call command/exec '{"command":["sh","-c","echo x > /home/me/y || echo refused"]}' | grep refused; }
step "whose commands are confined" confined_too
step "service status" mine codex-app-server service status
step "upgrade" mine codex-app-server upgrade
step "serves the user still" mine codex-app-server call thread/loaded/list
step "service logs" mine codex-app-server service logs
step "service uninstall" mine codex-app-server service uninstall
step "leaves nothing running" sh -c '! pgrep -u me codex-app'
systemd-analyze security --offline=true /etc/systemd/system/codex-app-server.service | tail -1
exit "$failed"
