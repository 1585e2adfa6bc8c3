//! seccomp: the system calls that no confined command needs, and through which it could get out.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// The calls with which programs of the x32 ABI, which share the filter, call the same functions.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// The few calls that the x32 ABI has numbers of its own for; a 64-bit program has no use for any of them.
#[cfg(target_arch = "x86_64")]
const X32_OWN: std::ops::RangeInclusive<i64> = 512..=547;

/// Always refused, whatever the arguments.
const REFUSED: &[i64] = &[
    // Looking into and steering other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Undoing the mounts, and making new namespaces in which one could try.
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
    // The kernel's own machinery: a large surface, of no use to tools.
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

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: u64 = 0xf;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts this process and all that it starts. Refused calls fail with EPERM.
pub fn restrict(network: bool) -> Result<(), seccompiler::Error> {
    apply_filter(&filter(refused(network)?, libc::EPERM)?)?;
    // Its flags are in memory, where no filter can look. On ENOSYS the C libraries fall back to `clone`.
    apply_filter(&filter([(libc::SYS_clone3, Vec::new())].into(), libc::ENOSYS)?)
}

fn refused(network: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let new_namespace = |flag: libc::c_int| when(0, SeccompCmpOp::MaskedEq(flag as u64), flag as u64);
    rules.insert(libc::SYS_clone, NEW_NAMESPACES.into_iter().map(new_namespace).collect::<Result<_, _>>()?);
    // Pushing input into a terminal that the user types into later.
    let pushes = [libc::TIOCSTI, libc::TIOCLINUX].into_iter();
    rules.insert(libc::SYS_ioctl, pushes.map(|call| when(1, SeccompCmpOp::Eq, call)).collect::<Result<_, _>>()?);
    if !network {
        // A Unix socket reaches every daemon of the machine, this server above all. Which one it is connected to is in
        // memory, where no filter can look, so there are none.
        rules.insert(libc::SYS_socket, Vec::new());
        // Two ends that know only each other are harmless. Not so datagrams, which may be sent to any address.
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

/// Everything is allowed but what `rules` say. Programs for another instruction set are killed at their first call.
fn filter(rules: Rules, error: libc::c_int) -> Result<BpfProgram, BackendError> {
    let rules = with_other_abis(rules);
    let refuse = SeccompAction::Errno(error as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?.try_into()
}

#[cfg(target_arch = "x86_64")]
fn with_other_abis(mut rules: Rules) -> Rules {
    let same: Vec<_> = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
    rules.extend(same);
    rules.extend(X32_OWN.map(|call| (call | X32, Vec::new())));
    rules
}

#[cfg(not(target_arch = "x86_64"))]
fn with_other_abis(rules: Rules) -> Rules {
    rules
}
