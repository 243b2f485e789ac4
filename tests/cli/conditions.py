"""Conditions that a process can be started under: what containers, service managers, other
kernels and careless hosts do to it. Each is made in the forked process that then becomes the
program, so nothing of it is left behind."""
import ctypes
import os
import platform
import resource
import signal
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
EPERM, ENOTTY, ENOSYS, EOPNOTSUPP = 1, 25, 38, 95

NEW_MOUNTS, NEW_USER, NEW_PIDS, NEW_ANY = 0x20000, 0x10000000, 0x20000000, 0x7e020000
MS_RDONLY, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 8, 32, 4096, 0x4000, 1 << 18
SET_DUMPABLE, CAPBSET_DROP, SET_SECUREBITS, SET_NO_NEW_PRIVS = 4, 24, 28, 38
SETGID, SETUID, SETPCAP, SYS_PTRACE, SYS_ADMIN = 6, 7, 8, 19, 21
DOCKER = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)  # the capabilities that it leaves
ALL_CAPABILITIES = range(41)
DETACH, SYNC_THREADS = 2, 1
READ_IMPLIES_EXEC = 0x0400000

# System calls by machine; the newer ones have one number everywhere.
CALLS = {
    'x86_64': {'memfd_create': 319, 'seccomp': 317, 'prctl': 157, 'unshare': 272, 'setns': 308,
               'clone': 56, 'ioctl': 16, 'execveat': 322, 'acct': 163},
    'aarch64': {'memfd_create': 279, 'seccomp': 277, 'prctl': 167, 'unshare': 97, 'setns': 268,
                'clone': 220, 'ioctl': 29, 'execveat': 281, 'acct': 89},
}[platform.machine()]
CALLS.update(close_range=436, landlock_create_ruleset=444, landlock_add_rule=445,
             landlock_restrict_self=446)

KILL, ALLOW = 0x80000000, 0x7fff0000
PIDFD_GET_INFO = 0xc040ff0b


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')
    return result


def prctl(*arguments):
    wide = [ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0, 0)[1:5]]
    check(LIBC.prctl(arguments[0], *wide), f'prctl {arguments}')


def syscall(number, *arguments):
    return check(LIBC.syscall(ctypes.c_long(number), *arguments), f'system call {number}')


def unshare(flags):
    check(LIBC.unshare(flags), 'unshare')


def mount(source, target, kind, flags=0, data=None):
    words = [one.encode() if one is not None else None for one in (source, target, kind)]
    check(LIBC.mount(*words, ctypes.c_ulong(flags), data and data.encode()), f'mount {target}')


# ---- system call filters: rows (call, word of an argument or None, bits or None, action)

def statement(code, value):
    return struct.pack('=HBBI', code, 0, 0, value)


def jump(code, value, yes, no):
    return struct.pack('=HBBI', code, yes, no, value)


LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06


def filter_of(rows):
    program = b''
    for call, argument, bits, action in rows:
        program += statement(LOAD, 0)
        if argument is None:
            program += jump(EQUAL, CALLS[call], 0, 1)
        else:
            program += jump(EQUAL, CALLS[call], 0, 3) + statement(LOAD, 16 + 8 * argument)
            program += jump(ANY_BIT if call == 'clone' else EQUAL, bits, 0, 1)
        program += statement(RETURN, action)
    return program + statement(RETURN, ALLOW)


def error(number):
    return 0x00050000 | number


def install(rows, flags=0):
    code = filter_of(rows)
    lines = ctypes.create_string_buffer(code, len(code))
    header = struct.pack('@HP', len(code) // 8, ctypes.addressof(lines))
    prctl(SET_NO_NEW_PRIVS, 1)
    syscall(CALLS['seccomp'], 1, flags, ctypes.c_char_p(header))


def deny(*calls, action=error(EPERM)):
    return lambda: install([(call, None, None, action) for call in calls])


LANDLOCK = ('landlock_create_ruleset', 'landlock_restrict_self')


def deny_namespaces():
    """As Docker's standard filter does."""
    install([('unshare', None, None, error(EPERM)), ('setns', None, None, error(EPERM)),
             ('clone', 0, NEW_ANY, error(EPERM))])


def silent_pidfds():
    """As before Linux 6.15, when a pidfd did not tell how its process ended."""
    install([('ioctl', 1, PIDFD_GET_INFO, error(ENOTTY))])


def synchronized_filter():
    install([('acct', None, None, error(EPERM))], SYNC_THREADS)


# ---- who

ORDINARY, ROOTLESS = 1234, 100000


def ordinary():
    os.setgroups([])
    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
    os.setresuid(ORDINARY, ORDINARY, ORDINARY)
    prctl(SET_DUMPABLE, 1)  # lost with the identity; a login has it


def write_maps(uid_map, gid_map):
    for name, text in (('setgroups', 'deny'), ('uid_map', uid_map), ('gid_map', gid_map)):
        with open(f'/proc/self/{name}', 'w') as file:
            file.write(text)


def no_more_user_namespaces():
    """What max_user_namespaces says below us: in a user namespace that changes nothing else."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(NEW_USER)
    write_maps(f'{uid} {uid} 1', f'{gid} {gid} 1')
    with open('/proc/sys/user/max_user_namespaces', 'w') as file:
        file.write('0')


def root_of_nobody_else():
    """unshare --map-root-user: root in a user namespace that maps no other user."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(NEW_USER)
    write_maps(f'0 {uid} 1', f'0 {gid} 1')


def rootless_container():
    """Root in a user namespace that maps 65536 users, as newuidmap makes it."""
    ready, go = os.pipe()
    host = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.read(ready, 1)
        for name in ('uid_map', 'gid_map'):
            with open(f'/proc/{host}/{name}', 'w') as file:
                file.write(f'0 {ROOTLESS} 65536')
        os._exit(0)
    unshare(NEW_USER)
    os.write(go, b'x')
    os.waitpid(helper, 0)
    os.close(ready), os.close(go)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def without(*capabilities):
    def change():
        # CAP_SETPCAP, without which none can be dropped, last
        for one in sorted(capabilities, key=lambda capability: capability == SETPCAP):
            prctl(CAPBSET_DROP, one)
    return change


def securebits(bits):
    return lambda: prctl(SET_SECUREBITS, bits)


def no_new_privs():
    prctl(SET_NO_NEW_PRIVS, 1)


# ---- /proc, mounts, roots

def own_mounts():
    unshare(NEW_MOUNTS)
    mount('none', '/', None, MS_REC | MS_PRIVATE)


def proc(data):
    def change():
        own_mounts()
        mount('proc', '/proc', 'proc', 0, data)
    return change


def no_proc():
    own_mounts()
    check(LIBC.umount2(b'/proc', DETACH), 'umount')


def empty_proc():
    own_mounts()
    mount('none', '/proc', 'tmpfs')


def read_only_proc():
    own_mounts()
    mount('proc', '/proc', 'proc', MS_RDONLY)


def new_pids():
    """In a PID namespace, with the /proc of the old one."""
    unshare(NEW_PIDS)
    first = os.fork()
    if first:
        _, status = os.waitpid(first, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)


def new_pids_and_proc():
    own_mounts()
    new_pids()
    mount('proc', '/proc', 'proc')


def root_folder(device, has_proc):
    """A root that holds the system's programs, and /dev/null or /proc if asked for. What
    lies in /tmp is there too."""
    def change():
        own_mounts()
        root = '/mnt'
        mount('none', root, 'tmpfs', 0, 'mode=755')
        for name in ('usr', 'lib', 'lib64', 'bin', 'etc', 'tmp'):
            if os.path.isdir(f'/{name}'):
                os.mkdir(f'{root}/{name}')
                mount(f'/{name}', f'{root}/{name}', None, MS_BIND | MS_REC)
        for name in ('dev', 'proc'):
            os.mkdir(f'{root}/{name}')
        if device:
            os.close(os.open(f'{root}/dev/null', os.O_CREAT))
            mount('/dev/null', f'{root}/dev/null', None, MS_BIND)
        if has_proc:
            mount('proc', f'{root}/proc', 'proc')
        os.chroot(root)
        os.chdir('/')
    return change


def landlocked(*allowed):
    """In a Landlock domain that leaves these folders alone and nothing else."""
    def change():
        every = 0x1fff
        rules = syscall(CALLS['landlock_create_ruleset'],
                        ctypes.c_char_p(struct.pack('=Q', every)), 8, 0)
        for name in allowed:
            if os.path.exists(name):
                folder = os.open(name, os.O_PATH)
                row = ctypes.c_char_p(struct.pack('=Qi', every, folder))
                syscall(CALLS['landlock_add_rule'], rules, 1, row, 0)
        no_new_privs()
        syscall(CALLS['landlock_restrict_self'], rules, 0)
    return change


def deleted_folder():
    name = f'/tmp/deleted.{os.getpid()}'
    os.mkdir(name)
    os.chdir(name)
    os.rmdir(name)


# ---- what is inherited

def limit(name, value):
    return lambda: resource.setrlimit(getattr(resource, f'RLIMIT_{name}'), (value, value))


def ignored_children():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def blocked_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def closed(*descriptors):
    def change():
        for one in descriptors:
            os.close(one)
    return change


def many_descriptors():
    """10,000 that the program inherits, or as many as there may be but for 100."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = 10000 if hard == resource.RLIM_INFINITY else min(10000, hard - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, hard))
    null = os.open('/dev/null', os.O_RDONLY)
    for _ in range(count):
        os.set_inheritable(os.dup(null), True)


def personality(bits):
    return lambda: check(LIBC.personality(bits), 'personality')
