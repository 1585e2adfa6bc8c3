"""Runs a program as on a machine that lacks a layer of the sandbox.

    without.py landlock|seccomp|namespaces|manager PROGRAM [ARGUMENT…]

A seccomp filter answers the system calls of that layer as such a machine would; it is inherited by all children.
"""
import ctypes
import errno
import os
import platform
import struct
import sys

CALLS = {
    "x86_64": {"clone": 56, "prctl": 157, "unshare": 272, "seccomp": 317, "clone3": 435, "openat2": 437, "landlock": 444},
    "aarch64": {"prctl": 167, "unshare": 97, "clone": 220, "seccomp": 277, "clone3": 435, "openat2": 437, "landlock": 444},
}[platform.machine()]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
NEW_USER = 0x10000000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, FIRST_ARGUMENT = 0, 16


def refused(call, error):
    """The call fails, whatever its arguments."""
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 1, CALLS[call]), (RETURN, 0, 0, FAIL | error)]


def refused_if(call, test, value, error):
    """The call fails if its first argument passes the test."""
    return [
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 0, 3, CALLS[call]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (test, 0, 1, value),
        (RETURN, 0, 0, FAIL | error),
    ]


LAYERS = {
    "landlock": refused("landlock", errno.ENOSYS),
    "seccomp": refused("seccomp", errno.ENOSYS) + refused_if("prctl", EQUAL, PR_SET_SECCOMP, errno.EINVAL),
    "namespaces": refused_if("unshare", ANY_BIT, NEW_USER, errno.EPERM)
    + refused_if("clone", ANY_BIT, NEW_USER, errno.EPERM)
    # Its flags are out of a filter's reach; without it, clone is used.
    + refused("clone3", errno.ENOSYS),
    # RestrictNamespaces= and RestrictSUIDSGID= of systemd.
    "manager": refused("clone3", errno.ENOSYS) + refused("openat2", errno.ENOSYS),
}


def main():
    layer, program = sys.argv[1], sys.argv[2:]
    code = LAYERS[layer] + [(RETURN, 0, 0, ALLOW)]
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    filter = ctypes.create_string_buffer(struct.pack("HP", len(code), ctypes.addressof(instructions)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for arguments in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0)]:
        if prctl(*arguments) != 0:
            sys.exit(f"this machine cannot take a layer away: {os.strerror(ctypes.get_errno())}")
    os.execvp(program[0], program)


main()
