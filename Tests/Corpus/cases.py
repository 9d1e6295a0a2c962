"""The cases of the corpus: how each state is made, and what is true of it.

truth: `idle`, `dialog` (at rest in a modal dialog), `hung`, `deadlock`, `busy`, `waits` (a program whose
purpose it is to wait), `unseen` (a runtime that sprof does not read).
cause: the kind of wait that a hung one must be said to have; handler: its function.
"""
import os

CASES = []

# What hang.py does, and the kinds of wait by which it is told.
WAYS = {
    "lock": ("hung", "mutex semaphore"), "deadlock": ("deadlock", "mutex semaphore"), "pipe": ("hung", "read"),
    "tcp": ("hung", "receive"), "unix": ("hung", "receive"), "sleep": ("hung", "sleep"),
    "child": ("hung", "child_process"), "output": ("hung", "read child_process"),
    "join": ("hung", "join semaphore"), "condition": ("hung", "condition_variable semaphore"),
    "items": ("hung", "condition_variable semaphore"), "database": ("hung", "database_lock"),
    "flock": ("hung", "file_lock"), "fifo": ("hung", "open"), "write": ("hung", "write"),
    "busy": ("busy", ""), "many": ("busy", ""), "native": ("busy", ""), "mutex": ("hung", "mutex"),
    "pool": ("busy", ""),
}


def case(name, command, truth, cause="", handler="", process="*", **more):
    CASES.append(dict(name=name, command=command, truth=truth, cause=cause, handler=handler, process=process, **more))


PYTHON = "/usr/bin/python3"
for way, (truth, cause) in WAYS.items():
    for toolkit, program in (("gtk", "gtk.py"), ("tk", "tkwin.py"), ("qt", "qtwin.py")):
        case(f"{toolkit}-{way}", f"exec {PYTHON} PROGRAMS/{program} {way}", truth, cause, "on_timer", ready="ready")
    case(f"asyncio-{way}", f"exec {PYTHON} PROGRAMS/aio.py {way}", truth, cause, "handle", ready="ready")
for way in ("lock", "deadlock", "pipe", "database", "flock", "join", "busy", "sleep"):
    truth, cause = WAYS[way]
    case(f"python-{way}", f"exec {PYTHON} PROGRAMS/plain.py {way}",
         "waits" if way in ("pipe", "join", "sleep") else truth, cause, ready="ready")

for toolkit, program in (("gtk", "gtk.py"), ("tk", "tkwin.py"), ("qt", "qtwin.py")):
    case(f"{toolkit}-idle", f"exec {PYTHON} PROGRAMS/{program} idle", "idle", ready="ready")
    case(f"{toolkit}-dialog", f"exec {PYTHON} PROGRAMS/{program} dialog", "dialog", handler="on_timer", ready="ready")
case("asyncio-idle", f"exec {PYTHON} PROGRAMS/aio.py idle", "idle", ready="ready")
case("gtk-nested", f"exec {PYTHON} PROGRAMS/gtk.py nested", "dialog", handler="on_timer", ready="ready")
case("qt-nested", f"exec {PYTHON} PROGRAMS/qtwin.py nested", "dialog", handler="on_timer", ready="ready")
case("tk-variable", f"exec {PYTHON} PROGRAMS/tkwin.py variable", "dialog", handler="on_timer", ready="ready")
case("tk-ask", f"exec {PYTHON} PROGRAMS/tkwin.py ask", "dialog", handler="on_timer", ready="ready")
case("gtk-dbus", f"exec {PYTHON} PROGRAMS/gtk.py dbus", "hung", "poll", "on_timer", ready="ready",
     before=[f"exec {PYTHON} PROGRAMS/silent.py"])
case("gtk-process", f"exec {PYTHON} PROGRAMS/gtk.py wait_process", "hung", "poll", "on_timer", ready="ready")
case("qt-process", f"exec {PYTHON} PROGRAMS/qtwin.py process", "hung", "poll", "on_timer", ready="ready")

for mode, truth, cause in (
        ("idle", "idle", ""), ("execSync", "hung", "epoll"), ("spawnSync", "hung", "epoll"),
        ("readSync", "hung", "open read"), ("atomics", "hung", "condition_variable"), ("loop", "busy", ""), ("many", "busy", "")):
    case(f"node-{mode}", f"exec node PROGRAMS/server.js {mode}", truth, cause, ready="ready", needs="node")

RUST = dict(RUSTUP_HOME=os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")))
case("rust-mutex", "rustc -g -o locks PROGRAMS/locks.rs && ./locks mutex", "hung", "mutex", process="locks", ready="ready", needs="rustc", env=RUST)
case("rust-join", "rustc -g -o locks PROGRAMS/locks.rs && ./locks join", "waits", "join", process="locks", ready="ready", needs="rustc", env=RUST)
case("rust-channel", "rustc -g -o locks PROGRAMS/locks.rs && ./locks recv", "waits", "", process="locks", ready="ready", needs="rustc", env=RUST)
for mode, truth in (("deadlock", "unseen"), ("idle", "unseen"), ("loop", "busy")):
    case(f"go-{mode}", f"go build -o stuck PROGRAMS/stuck.go && ./stuck {mode}", truth, process="stuck", ready="ready",
         needs="go", env=dict(GOCACHE="/tmp/corpus-go", GO111MODULE="off"))
    case(f"java-{mode}", f"javac -d . PROGRAMS/Stuck.java; exec java -cp . Stuck {mode}", truth, process="java", ready="ready", needs="java")


def window(name, command, title, process=None, truth="idle", settle_=3, **more):
    case(name, command, truth, process=process or command.split()[0], window=title, needs=command.split()[0],
         settle=settle_, **more)


window("mousepad", "mousepad", "Mousepad")
window("mousepad-open", "mousepad", "Mousepad", truth="dialog", steps=["xdotool key ctrl+o"])
window("firefox", "firefox-esr --new-instance about:blank", "Firefox", settle_=8)
case("firefox-headless", "exec firefox-esr --headless about:blank", "idle", process="firefox*", needs="firefox-esr", after=12)
window("geany", "geany", "Geany")
window("geany-open", "geany", "Geany", truth="dialog", steps=["xdotool key ctrl+o"])
window("gedit", "gedit", "gedit")
window("featherpad", "featherpad", "FeatherPad|featherpad|Untitled", process="featherpad")
window("evince", "evince", "Document Viewer|evince|Recent")
window("xterm", "xterm", "xterm")
window("inkscape", "inkscape", "Inkscape", after=8)
window("qpdfview", "qpdfview", "qpdfview")
window("galculator", "galculator", "galculator")
window("emacs", "emacs -Q", "GNU Emacs|emacs", settle_=3)
window("gvim", "gvim -f", "VIM", process="gvim*")
window("gnumeric", "gnumeric", "Gnumeric")
window("abiword", "abiword", "AbiWord")
window("xpdf", "xpdf", "Xpdf|xpdf")
window("zathura", "zathura", "zathura")
window("pcmanfm", "pcmanfm /tmp", "tmp")
window("l3afpad", "l3afpad", "l3afpad|Untitled")
window("gucharmap", "gucharmap", "Character")
window("keepassxc", "keepassxc", "KeePassXC")
window("xclock", "xclock", "xclock")
window("xeyes", "xeyes", "xeyes")
window("xcalc", "xcalc", "Calculator")
window("gimp", "gimp", "GNU Image", process="gimp*", after=8)
window("eog", "eog", "Image Viewer")
window("transmission", "transmission-gtk", "Transmission")
window("feh", "feh /usr/share/pixmaps", "feh")
window("wish", "wish", "wish")
window("perl-tk", "perl -MTk -e 'MainWindow->new(-title=>\"corpus\"); MainLoop'", "corpus")
case("chromium-headless", "exec chromium --headless --no-sandbox --remote-debugging-port=0 about:blank", "idle",
     process="chromium*", needs="chromium", after=5)

case("redis", "exec redis-server --port 0 --unixsocket ./s", "idle", process="redis-server", needs="redis-server", ready="eady to accept")
case("nginx", "nginx -p . -e ./e -g 'daemon off; pid ./n; error_log ./e;' -c /dev/null 2>/dev/null || true; printf 'events{}\\nhttp{server{listen 127.0.0.1:18089;}}\\ndaemon off; pid ./n; error_log ./e;' > c; exec nginx -p . -e ./e -c $PWD/c",
     "idle", process="nginx", needs="nginx", after=2)
case("memcached", "exec memcached -u nobody -p 0 -s ./m", "idle", process="memcached", needs="memcached", after=2)
case("haproxy", "printf 'defaults\\n timeout connect 1s\\n timeout client 1s\\n timeout server 1s\\n mode tcp\\nfrontend f\\n bind 127.0.0.1:18091\\n' > c; exec haproxy -f c", "idle", process="haproxy", needs="haproxy", after=2)
case("lighttpd", "printf 'server.document-root=\"/tmp\"\\nserver.port=18092\\nserver.bind=\"127.0.0.1\"' > c; exec lighttpd -D -f c", "idle", process="lighttpd", needs="lighttpd", after=2)
case("dbus-daemon", "exec dbus-daemon --session --nofork --print-address", "idle", process="dbus-daemon", after=1)
case("xvfb", "exec Xvfb -displayfd 1", "idle", process="Xvfb", after=2)
case("sshd", "mkdir -p /run/sshd; exec /usr/sbin/sshd -D -p 18093 -o ListenAddress=127.0.0.1", "idle", process="sshd", after=2)
case("dnsmasq", "exec dnsmasq -k -p 18094 --listen-address=127.0.0.1 --bind-interfaces -u root", "idle", process="dnsmasq", needs="dnsmasq", after=2)
case("http-server", f"exec {PYTHON} -m http.server 18095 --bind 127.0.0.1", "idle", after=2)
case("mariadb", "mariadb-install-db --auth-root-authentication-method=normal --user=root --datadir=$PWD/d >/dev/null 2>&1; exec mariadbd --user=root --datadir=$PWD/d --skip-networking --socket=$PWD/s", "idle", process="mariadbd", needs="mariadbd", ready="ready for connections")
case("bash-read", "exec bash -c 'read line'", "waits", after=1)
case("cat-stdin", "exec cat", "waits", process="cat", after=1)
case("sleep", "exec sleep 1000", "idle", process="sleep", after=1)
case("tail", "exec tail -f /dev/null", "waits", process="tail", after=1)
case("socat", "exec socat TCP-LISTEN:18096,fork -", "idle", process="socat", needs="socat", after=1)
case("lua-loop", "exec luajit -e 'local n=0 while true do n=(n*31+7)%1000003 end'", "busy", process="luajit", needs="luajit", after=1)
case("lua54-loop", "exec lua5.4 -e 'local n=0 while true do n=(n*31+7)%1000003 end'", "busy", process="lua5.4", needs="lua5.4", after=1)
case("ffmpeg", "exec ffmpeg -f lavfi -i testsrc2=size=1280x720:rate=60 -f null -", "busy", process="ffmpeg", needs="ffmpeg", after=2)
case("ruby-sleep", "exec ruby -e sleep", "idle", process="ruby", needs="ruby", after=2)
case("ruby-queue", "exec ruby -e 'q=Queue.new; Thread.new{sleep}; q.pop'", "waits", process="ruby", needs="ruby", after=2)
case("perl-loop", "exec perl -e '$n=($n*31+7)%1000003 while 1'", "busy", process="perl", after=1)
case("flock-tool", "flock l sleep 1000 & sleep 0.5; exec flock l true", "hung", "file_lock", process="flock", after=2)
case("vim-tty", "exec script -qc 'vim -u NONE' /dev/null", "idle", process="vim*", needs="script", after=2)
case("top-tty", "exec script -qc 'TERM=xterm top -d 1000' /dev/null", "idle", process="top", needs="script", after=2)
case("bash-tty", "exec script -qc 'bash --norc -i' /dev/null", "idle", process="bash", needs="script", after=2)
case("python-tty", f"exec script -qc '{PYTHON} -i' /dev/null", "idle", process="python3*", needs="script", after=2)
case("make-j", "printf 'all:;sleep 1000' > Makefile; exec make", "waits", process="make", needs="make", after=1)
