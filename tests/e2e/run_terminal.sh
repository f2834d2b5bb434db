#!/usr/bin/env bash
# A container on a terminal: size, keys, signals, and our own terminal as it was whatever happens.
# needs: debian
# alone with: containers
# timeout: 180
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need python3
cat >"$work/terminal.py" <<'PYTHON'
import fcntl, os, pty, select, signal, struct, sys, termios, time

image, vmfs = sys.argv[1:3]

class Session:
    """vmfs run in a terminal of 100 columns and 30 lines."""

    def __init__(self, *arguments, verb="run"):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(vmfs, [vmfs, verb, *arguments])
        self.resize(30, 100)
        self.before = None
        self.text = b""

    def resize(self, lines, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def settings(self):
        return termios.tcgetattr(self.fd)

    def expect(self, wanted, seconds=20):
        end = time.monotonic() + seconds
        while wanted not in self.text:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit(f"no {wanted!r} in {self.text!r}")
            try:
                self.text += os.read(self.fd, 4096)
            except OSError:
                sys.exit(f"ended without {wanted!r}: {self.text!r}")
        self.text = self.text.split(wanted, 1)[1]

    def type(self, text):
        os.write(self.fd, text)

    def end(self):
        while True:
            try:
                if not (more := os.read(self.fd, 4096)):
                    break
                self.text += more
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

def check(ok, what):
    if not ok:
        sys.exit(f"failed: {what}")

def raw(session):
    return not session.settings()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

# size, its change, the container's own pts, a controlling terminal
s = Session("-it", image, "sh")
s.expect(b"# ")
check(raw(s), "keys do not go through")
s.type(b"tty; stty size; echo done\r")
s.expect(b"/dev/pts/0")
s.expect(b"30 100")
s.resize(40, 120)
time.sleep(0.3)
s.type(b"stty size\r")
s.expect(b"40 120")
s.type(b"echo x >/dev/tty && echo y >/dev/console; ls -A /dev/pts\r")
s.expect(b"x\r\ny\r\n0  ptmx")
# Ctrl-C ends what runs in the foreground, not the shell; Ctrl-Z stops it; Ctrl-D ends the shell
s.type(b"sleep 100\r")
time.sleep(0.5)
s.type(b"\x03")
s.type(b"echo status $?\r")
s.expect(b"status 130")
s.type(b"exit 9\r")
check(s.end() == 9, "exit status on a terminal")

# our terminal is as it was: after an ordinary end, an error, a signal, and a killed launcher
for arguments, action, status in [
    (["sh", "-c", "echo ready; read x"], lambda s: s.type(b"\r"), 0),
    (["sh", "-c", "echo ready; exec sleep 60"], lambda s: os.kill(s.pid, signal.SIGTERM), 143),
    (["sh", "-c", "echo ready; exec sleep 60"], lambda s: os.kill(s.pid, signal.SIGKILL), -9),
]:
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    pid = os.fork()
    if pid == 0:
        os.login_tty(inner) if hasattr(os, "login_tty") else (os.setsid(), fcntl.ioctl(inner, termios.TIOCSCTTY, 0),
                                                              [os.dup2(inner, n) for n in range(3)])
        os.execv(vmfs, [vmfs, "run", "-it", image, *arguments])
    text = b""
    while b"ready" not in text:
        check(select.select([outer], [], [], 20)[0], "start")
        text += os.read(outer, 4096)
    for _ in range(100):
        if termios.tcgetattr(inner) != before:
            break
        time.sleep(0.02)
    check(termios.tcgetattr(inner) != before, "not raw")
    s = type("", (), {"pid": pid, "type": lambda self, t: os.write(outer, t)})()
    action(s)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    check(ended == status, f"status {ended} instead of {status}")
    for _ in range(100):
        if termios.tcgetattr(inner) == before:
            break
        time.sleep(0.02)
    check(termios.tcgetattr(inner) == before, f"terminal not restored, status {status}")
    os.close(outer)
    os.close(inner)

# -t without -i reads no keys; without -t nothing inside is a terminal, though we have one
s = Session("-t", image, "sh", "-c", "tty; read x && echo got; echo end")
s.expect(b"/dev/pts/0")
s.type(b"key\r")
time.sleep(0.3)
check(b"got" not in s.text, "read keys without -i")
os.kill(s.pid, signal.SIGKILL)
s.end()
s = Session("-i", image, "sh", "-c", "tty; tty <&1; tty <&2; echo t >/dev/tty; echo end")
s.expect(b"not a tty\r\nnot a tty\r\nnot a tty\r\n")
s.expect(b"end")
check(s.end() == 0, "status")

# a command in a container has a terminal of its own there; Ctrl-C ends it, and our terminal is as it was
s = Session("-d", "--rm", "--name", "term", "--network", "none", image, "sleep", "300")
s.expect(b"term\r\n")
check(s.end() == 0, "run -d")
s = Session("-it", "term", "sh", verb="exec")
s.expect(b"# ")
check(raw(s), "exec: keys do not go through")
s.resize(30, 100)
s.type(b"tty; stty size; sleep 100\r")
s.expect(b"/dev/pts/0\r\n30 100")
time.sleep(0.3)
s.type(b"\x03")
s.type(b"echo status $?\r")
s.expect(b"status 130")
s.type(b"exec sleep 100\r")
time.sleep(0.3)
s.type(b"\x03")
check(s.end() == 130, "exec: Ctrl-C")
s = Session("-t", "term", verb="stop")
check(s.end() != 0, "stop -t wants seconds")
s = Session("term", verb="stop")
s.expect(b"term")
check(s.end() == 0, "stop")

# keys leave a container alone, it goes on; one attaches to it again, and again
s = Session("-it", "--rm", "--name", "keys", "--network", "none", image, "sh")
s.expect(b"# ")
before = s.settings()
s.type(b"X=kept; echo st''art\r")
s.expect(b"start")
s.type(b"\x10\x11")
s.expect(b"keys\r\n")
check(s.end() == 0, "detach: status")
for word in (b"one", b"two"):
    s = Session("keys", verb="attach")
    s.type(b"echo $X-" + word + b"\r")
    s.expect(b"kept-" + word)
    other = Session("keys", verb="attach")
    other.expect(b"somebody else has attached")
    check(other.end() == 1, "attach twice")
    s.resize(50, 90)
    time.sleep(0.3)
    s.type(b"stty size\r")
    s.expect(b"50 90")
    s.type(b"\x10\x11")
    check(s.end() == 0, "detach from attach: status")
s = Session("keys", verb="attach")
s.type(b"exit 5\r")
check(s.end() == 5, "attach: status")
# other keys, no keys
s = Session("-it", "--rm", "--name", "keys", "--detach-keys", "ctrl-x", "--network", "none", image, "cat", "-v")
time.sleep(0.1)
s.type(b"\x10\x11\r")
s.expect(b"^P")
s.type(b"\x18")
s.expect(b"keys\r\n")
check(s.end() == 0, "--detach-keys")
s = Session("-f", "keys", verb="rm")
check(s.end() == 0, "rm -f")
# -dit: a shell that waits for somebody to attach
s = Session("-dit", "--rm", "--name", "keys", "--network", "none", image, "sh")
s.expect(b"keys\r\n")
check(s.end() == 0, "run -dit")
s = Session("keys", verb="attach")
s.type(b"exit 6\r")
check(s.end() == 6, "run -dit: status")

# whoever waits in front is killed: so is the container, and our terminal is as it was (above)
s = Session("-it", "--name", "front", "--network", "none", image, "sh")
s.expect(b"# ")
os.kill(s.pid, signal.SIGKILL)
s.end()
for _ in range(100):
    if not os.popen(f"{vmfs} ps -aq").read():
        break
    time.sleep(0.05)
check(not os.popen(f"{vmfs} ps -aq").read(), "killed in front")

# a user of the image owns the terminal
s = Session("-it", "-u", "daemon", image, "sh", "-c", "stat -c %U $(tty); echo ok >/dev/pts/0")
s.expect(b"daemon\r\nok")
check(s.end() == 0, "status")
PYTHON
chmod 0644 "$work/terminal.py"
as_user python3 "$work/terminal.py" "$image" "$VMFS"
# no terminal of ours: -t works, keys come from the pipe, its end is Ctrl-D
[ "$(echo 'expr 6 \* 7' | vmfs run -it "$image" sh | grep -c 42)" -eq 1 ] || fail 'a pipe into -it'
transcript 0 $'/dev/pts/0\r' vmfs run -t "$image" tty
wait_until all_gone
