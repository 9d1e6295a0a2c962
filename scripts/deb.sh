#!/bin/sh
# Makes a Debian package of the program $1 in the folder $2. Its sprof takes the place of glibc's, which
# is kept as /usr/bin/sprof.glibc while the package is installed (dpkg-divert(1)).
set -eu
scripts=$(dirname "$0")
for tool in dpkg-deb dpkg-query gzip; do
  command -v "$tool" >/dev/null || { echo "make deb needs $tool (packages dpkg and gzip)" >&2; exit 1; }
done
version=$("$1" --version | sed -n '1s/^sprof //p')
# Whoever makes the package answers for it (debian: DEBFULLNAME, DEBEMAIL).
maintainer="${DEBFULLNAME:-The sprof authors} <${DEBEMAIL:-sprof@sprof.invalid}>"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/sprof
mkdir -p "$2" "$root/DEBIAN" "$doc"
chmod 755 "$root"
"$scripts/stage.sh" "$1" "$root/usr"
gzip -9n "$root/usr/share/man/man1/sprof.1"
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_sprof" "$root/usr/share/zsh/vendor-completions/_sprof"
rmdir "$root/usr/share/zsh/site-functions"

# The packages of the libraries that the binary names, with the versions that are installed here: older ones
# may lack what it was linked with.
depends() {
  objdump -p "$1" | sed -n 's/^ *NEEDED *//p' | while read -r library; do
    path=$(ldd "$1" | sed -n "s|^[[:space:]]*$library => \([^ ]*\) .*|\1|p")
    case $library in ld-linux*) continue ;; esac
    [ -n "$path" ] || continue
    for candidate in "$path" "/usr$path" "$(readlink -f "$path")"; do
      owner=$(dpkg-query -S "$candidate" 2>/dev/null | sed -n '1s/:.*//p')
      [ -n "$owner" ] && break
    done
    [ -n "$owner" ] || { echo "no package has $path" >&2; exit 1; }
    # What follows the first hyphen or plus is of the distribution.
    base=$(dpkg-query -W -f '${Version}' "$owner" | sed 's/[-+].*//')
    echo "$owner (>= $base)"
  done | sort -u | paste -sd, | sed 's/,/, /g'
}

size=$(du -sk "$root/usr" | cut -f1)
cat >"$root/DEBIAN/control" <<CONTROL
Package: sprof
Version: $version-1
Section: devel
Priority: optional
Architecture: amd64
Installed-Size: $size
Depends: $(depends "$1")
Suggests: libc6-dbg, libxcb1
Maintainer: $maintainer
Description: profiler that says why a running program is slow or hangs
 sprof samples programs from outside: no restart, no recompilation, no agent.
 It shows where time goes, what each thread waits for and who holds it up,
 finds deadlocks and freezes, and reads native code and CPython.
CONTROL

cat >"$root/DEBIAN/preinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = install ] || [ "$1" = upgrade ]; then
  dpkg-divert --package sprof --add --rename --divert /usr/bin/sprof.glibc /usr/bin/sprof
  dpkg-divert --package sprof --add --rename --divert /usr/share/man/man1/sprof.glibc.1.gz \
    /usr/share/man/man1/sprof.1.gz
fi
SCRIPT
cat >"$root/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = abort-install ] || [ "$1" = disappear ]; then
  dpkg-divert --package sprof --remove --rename --divert /usr/bin/sprof.glibc /usr/bin/sprof
  dpkg-divert --package sprof --remove --rename --divert /usr/share/man/man1/sprof.glibc.1.gz \
    /usr/share/man/man1/sprof.1.gz
fi
SCRIPT
chmod 755 "$root/DEBIAN/preinst" "$root/DEBIAN/postrm"

cat >"$doc/copyright" <<'COPYRIGHT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sprof

Files: *
Copyright: 2026 the sprof authors
License: Apache-2.0
 On Debian systems the full text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
 .
 The binary contains the runtime and the Foundation of Swift, Swift Argument
 Parser and Swift Protobuf, which have the same license, with the Runtime
 Library Exception.
COPYRIGHT
cat >"$work/changelog" <<CHANGES
sprof ($version-1) unstable; urgency=medium

  * See /usr/share/doc/sprof/NEWS.gz.

 -- $maintainer  $(date -R)
CHANGES
gzip -9nc "$work/changelog" >"$doc/changelog.Debian.gz"
gzip -9nc "$scripts/../CHANGELOG.md" >"$doc/NEWS.gz"
find "$root" -type d -exec chmod 755 {} +
find "$root/usr" -type f ! -path '*/bin/*' -exec chmod 644 {} +
(cd "$root" && find usr -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/md5sums"

package=$2/sprof_$version-1_amd64.deb
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
if command -v lintian >/dev/null; then
  lintian --fail-on error --suppress-tags bad-distribution-in-changes-file "$package" >&2
fi
echo "$package"
