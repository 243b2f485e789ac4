# What tests/build/deb.sh does inside the fresh Debian, as root. Of no use elsewhere.
set -eu
cd /srv/weighlock
[ -f weighlock.deb ] && ! command -v weighlock >/dev/null
packages="weighlock libweighlock0 libweighlock-dev"

fail() {
    echo "$1"
    exit 1
}

# Every file, with its content; not what dpkg keeps for itself, nor what an account's
# making leaves behind.
files() {
    find / -xdev \( -path /srv -o -path /proc -o -path /run -o -path /tmp -o -path /var/log \) -prune -o ! -type d \
        ! -path '/var/lib/dpkg/*' ! -path '/var/cache/*' ! -regex '/etc/\(passwd\|group\|g?shadow\|sub[ug]id\)-?' \
        -printf '%p %y %m %u %g %s %l\n' | sort
    find / -xdev \( -path /srv -o -path /proc -o -path /run -o -path /tmp \) -prune -o -type d -print | sort
}

files >/tmp/before
dpkg -i ./*.deb
getent passwd _weighlock | grep -q '^_weighlock:.*:/nonexistent:/usr/sbin/nologin$' || fail "$(getent passwd _weighlock)"
[ "$(stat -c '%U %a' /usr/libexec/weighlock/weighlock-child)" = "root 755" ] || fail "the child's mode is wrong"

# The demo packs, signs, verifies, loads, predicts, and refuses.
BUILD=/usr sh tests/demo.sh
weighlock doctor

# The child of root's loads is that user, whom the parent has seen it become.
gcc -std=c17 -Wall -Werror -o /tmp/predict /usr/share/doc/libweighlock-dev/examples/predict.c \
    $(pkg-config --cflags --libs weighlock-infer)
weighlock keygen -s /tmp/my.key -p /tmp/my.pub --unencrypted --trust /tmp/trust
weighlock pack tests/models/iris/spec.json -o /tmp/iris.wlk --sign /tmp/my.key
chmod 644 /tmp/iris.wlk
/tmp/predict /tmp/iris.wlk /tmp/trust >/tmp/root
setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/predict /tmp/iris.wlk /tmp/trust >/tmp/user
[ "$(wc -l </tmp/root)" -eq 2 ] && cmp /tmp/root /tmp/user || fail "the example gives $(cat /tmp/root /tmp/user)"

# Made again, the user stays who it was.
account=$(getent passwd _weighlock)
dpkg -i weighlock.deb
[ "$(getent passwd _weighlock)" = "$account" ] || fail "the user has changed"

dpkg --purge $packages
files >/tmp/after
diff /tmp/before /tmp/after || fail "a purge leaves these (>)"
! dpkg-query -W 'weighlock*' 'libweighlock*' 2>/dev/null | grep . || fail "dpkg remembers packages"
[ "$(getent passwd _weighlock)" = "$account" ] || fail "a purge took the user away"
