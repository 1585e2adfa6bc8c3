//! The memory of a running binary.

use std::fs;

use super::process::Process;

impl Process {
    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// Resident memory that belongs to files, such as the program's code, in KiB.
    pub fn resident_of_files_kib(&self) -> u64 {
        self.memory_kib("RssFile:")
    }

    /// The most resident memory so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    fn memory_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("/proc is there");
        let line = status.lines().find(|line| line.starts_with(name)).expect("it is there");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }
}
