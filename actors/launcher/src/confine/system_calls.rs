//! seccomp: blocks system calls that no confined command needs and that could break the sandbox.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter, sock_filter,
};

/// The first system call number of the x32 ABI, whose programs share the filter with 64-bit ones.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Refused whatever the arguments.
const REFUSED: &[i64] = &[
    // Inspecting and controlling other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Undoing mounts, and creating namespaces for that.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    // Kernel internals: a large attack surface without use for tools.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Flags of `clone` for new namespaces.
const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The bits of a socket type that are not flags.
const SOCKET_TYPE: u64 = 0xf;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts this process and everything that it starts. Refused calls fail with EPERM.
pub fn restrict(network: bool) -> Result<(), seccompiler::Error> {
    let (refuse, architecture) = (SeccompAction::Errno(libc::EPERM as u32), std::env::consts::ARCH.try_into()?);
    // Programs for another instruction set are killed at their first system call.
    let rules = SeccompFilter::new(refused(network)?, SeccompAction::Allow, refuse, architecture)?;
    apply_filter(&[unknown(), rules.try_into()?].concat())
}

/// The first instructions: calls that fail with ENOSYS, as on a kernel without them.
///
/// They are part of the same short filter, because installing a filter takes time proportional to its length for every
/// system call: a good part of the start of a confined command.
fn unknown() -> BpfProgram {
    let instruction = |code: u32, k: u32| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let fail = instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
    let fail_if = |comparison: u32, number: u32| {
        let skip = sock_filter { jf: 1, ..instruction(libc::BPF_JMP | libc::BPF_K | comparison, number) };
        [skip, fail.clone()]
    };
    // The number of the call is the first member of the kernel's `seccomp_data`.
    let mut program = vec![instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    #[cfg(target_arch = "x86_64")]
    program.extend(fail_if(libc::BPF_JGE, X32));
    // Its flags are in memory, which filters cannot read. C libraries fall back to `clone`.
    program.extend(fail_if(libc::BPF_JEQ, libc::SYS_clone3 as u32));
    program
}

fn refused(network: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let new_namespace = |flag: libc::c_int| when(0, SeccompCmpOp::MaskedEq(flag as u64), flag as u64);
    rules.insert(libc::SYS_clone, NEW_NAMESPACES.into_iter().map(new_namespace).collect::<Result<_, _>>()?);
    // Injecting input into a terminal.
    let pushes = [libc::TIOCSTI, libc::TIOCLINUX].into_iter();
    rules.insert(libc::SYS_ioctl, pushes.map(|call| when(1, SeccompCmpOp::Eq, call)).collect::<Result<_, _>>()?);
    if !network {
        // A Unix socket reaches every daemon of the machine, including this server. The address is in memory, which
        // filters cannot read, so all of them are refused.
        rules.insert(libc::SYS_socket, Vec::new());
        // A connected pair is harmless, but datagrams may be sent to any address.
        rules.insert(
            libc::SYS_socketpair,
            vec![
                when(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?,
                when(1, SeccompCmpOp::MaskedEq(SOCKET_TYPE), libc::SOCK_DGRAM as u64)?,
                when(1, SeccompCmpOp::MaskedEq(SOCKET_TYPE), libc::SOCK_RAW as u64)?,
            ],
        );
    }
    Ok(rules)
}

fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}
